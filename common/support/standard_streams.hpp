#pragma once
// For main(), before anything is opened.

namespace support {

// A program started with a closed stdout would get the number 1 for the first thing that it opens,
// a connection perhaps, and print into that: what is closed of 0, 1 and 2 is taken.
void occupy_standard_streams();

}  // namespace support
