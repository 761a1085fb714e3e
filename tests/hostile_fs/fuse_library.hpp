#pragma once
// libfuse's header, for the version whose interface we use (3.12: the number of threads can be set).

#define FUSE_USE_VERSION 312
#include <fuse.h>
