// What opening a file may answer, and clients and signals that come while it is under way.

#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "tests/m2/forged_case.hpp"

namespace {

using file_server::ServeOptions;
using m2_test::Client;
using m2_test::forged_options;
using m2_test::Operation;
using m2_test::split;
using uring::IORING_OP_OPENAT2;
using uring::IORING_OP_READ;
using uring::IORING_OP_RECV;
using uring::IORING_OP_SEND;

class ForgedOpens : public m2_test::ForgedCase {
 protected:
  [[nodiscard]] static const open_how& how_of(const Operation& open) {
    return *reinterpret_cast<const open_how*>(static_cast<std::uintptr_t>(open.sqe.off));
  }
  // The status that the client gets when OPENAT2 ends so.
  std::string status_after(Client& client, int error) {
    client.received.clear();
    server_->get(client, "/file");
    end(client, IORING_OP_OPENAT2, -error);
    if (count(client, IORING_OP_SEND) == 0) {
      return "no answer";
    }
    server_->send(client);
    return std::string(split(client.received).status());
  }
};

}  // namespace

TEST_F(ForgedOpens, TheKernelIsToldToStayBelowTheRoot) {
  START();
  const Client client = server_->connect();
  server_->get(client, "/a/b");
  const Operation open = server_->take(client, IORING_OP_OPENAT2);
  EXPECT_EQ(how_of(open).resolve & RESOLVE_BENEATH, std::uint64_t{RESOLVE_BENEATH});
  EXPECT_NE(how_of(open).resolve & RESOLVE_NO_MAGICLINKS, 0U);
  EXPECT_EQ(how_of(open).flags & O_ACCMODE, std::uint64_t{O_RDONLY});
  EXPECT_NE(how_of(open).flags & O_CLOEXEC, 0U);
  EXPECT_NE(how_of(open).flags & O_NONBLOCK, 0U);
  EXPECT_EQ(how_of(open).flags & O_DIRECT, 0U);
  EXPECT_STREQ(reinterpret_cast<const char*>(static_cast<std::uintptr_t>(open.sqe.addr)), "a/b");
  server_->end(open, -ENOENT);
}

TEST_F(ForgedOpens, EachErrorHasItsAnswerAndTheConnectionGoesOn) {
  START();
  Client client = server_->connect();
  for (const int error : {ENOENT, ENOTDIR, ELOOP, EXDEV, ENXIO, ENODEV, ENAMETOOLONG}) {
    EXPECT_EQ(status_after(client, error), "404") << error;
  }
  for (const int error : {EACCES, EPERM}) {
    EXPECT_EQ(status_after(client, error), "403") << error;
  }
  for (const int error : {EMFILE, ENFILE, ENOMEM, ECANCELED}) {
    EXPECT_EQ(status_after(client, error), "503") << error;
  }
  for (const int error : {EIO, EINVAL, EOVERFLOW}) {
    EXPECT_EQ(status_after(client, error), "500") << error;
  }
  expect_waits_for_a_request(client);
}

TEST_F(ForgedOpens, ARaceWithARenameIsTriedAgainButNotForEver) {
  site_.write("file", "x");
  START();
  Client client = server_->connect();
  server_->get(client, "/file");
  end(client, IORING_OP_OPENAT2, -EAGAIN);
  end(client, IORING_OP_OPENAT2, -EINTR);
  server_->open(client);
  read(client);
  server_->send(client);
  expect_file(client, "x");

  client.received.clear();
  server_->get(client, "/other");
  int attempts = 0;
  for (; count(client, IORING_OP_OPENAT2) > 0 && attempts < 1000; ++attempts) {
    end(client, IORING_OP_OPENAT2, -EAGAIN);
  }
  EXPECT_GT(attempts, 1);
  EXPECT_LT(attempts, 100);
  server_->send(client);
  EXPECT_EQ(split(client.received).status(), "503");
}

TEST_F(ForgedOpens, WithoutDescriptorsAFileThatNobodyUsesMakesRoom) {
  site_.write("kept", "kept");
  site_.write("file", "x");
  START();
  Client client = ask("/kept");
  read(client);
  server_->send(client);
  expect_file(client, "kept");
  EXPECT_EQ(server_->files().cached(), 1U);

  client.received.clear();
  server_->get(client, "/file");
  end(client, IORING_OP_OPENAT2, -EMFILE);
  EXPECT_EQ(server_->files().cached(), 0U);
  server_->open(client);
  read(client);
  server_->send(client);
  expect_file(client, "x");
}

TEST_F(ForgedOpens, WhereODirectIsRefusedTheFileIsOpenedWithoutIt) {
  site_.write("file", "x");
  ServeOptions options = forged_options();
  options.direct = true;
  START(options);
  Client client = server_->connect();
  server_->get(client, "/file");
  const Operation direct = server_->take(client, IORING_OP_OPENAT2);
  EXPECT_NE(how_of(direct).flags & O_DIRECT, 0U);
  server_->end(direct, -EINVAL);
  server_->turn();
  const Operation plain = server_->take(client, IORING_OP_OPENAT2);
  EXPECT_EQ(how_of(plain).flags & O_DIRECT, 0U);
  server_->end(plain, ::open(site_.path("file").c_str(), O_RDONLY | O_CLOEXEC));
  server_->turn();
  const Operation read = server_->take(client, IORING_OP_READ);
  EXPECT_EQ(read.sqe.len, 1U) << "no alignment is needed";
  server_->read(read);
  server_->turn();
  server_->send(client);
  expect_file(client, "x");
}

TEST_F(ForgedOpens, TwoWhoOpenTheSameFileShareIt) {
  site_.write("file", "x");
  START();
  Client first = server_->connect();
  Client second = server_->connect();
  server_->get(first, "/file");
  server_->get(second, "/file");
  EXPECT_EQ(count(first, IORING_OP_OPENAT2) + count(second, IORING_OP_OPENAT2), 2U);
  server_->open(second);
  server_->open(first);
  EXPECT_EQ(server_->files().counters().files_open, 1U);
  for (Client* client : {&first, &second}) {
    read(*client);
    server_->send(*client);
    expect_file(*client, "x");
  }
}

// The second signal closes what is still under way. The file comes later, and nobody waits for it.
TEST_F(ForgedOpens, AFileForAClientThatIsGoneIsNotLost) {
  site_.write("file", "x");
  START();
  const Client client = server_->connect();
  server_->get(client, "/file");
  const Operation open = server_->take(client, IORING_OP_OPENAT2);
  server_->signal(SIGTERM);
  EXPECT_FALSE(server_->has_closed(client)) << "its answer is still to come";
  server_->signal(SIGTERM);
  EXPECT_TRUE(server_->has_closed(client));
  EXPECT_TRUE(server_->runs()) << "an operation is in flight";
  const int fd = ::open(site_.path("file").c_str(), O_RDONLY | O_CLOEXEC);
  server_->end(open, fd);
  server_->turn();
  server_->turn();
  server_->turn();
  EXPECT_FALSE(server_->runs());
  EXPECT_EQ(::fcntl(fd, F_GETFD), -1) << "and it is closed";
}

TEST_F(ForgedOpens, AnAnswerThatIsUnderWayInADrainIsWhole) {
  const std::string content = m2_test::some_bytes(3 * 4096);
  site_.write("file", content);
  START();
  Client client = ask("/file");
  const Client idle = server_->connect();
  server_->signal(SIGTERM);
  EXPECT_EQ(count(idle, IORING_OP_RECV), 2U) << "its own and that of the polite end";
  serve(client, content.size());
  EXPECT_TRUE(split(client.received).body == content);
  EXPECT_EQ(count(client, IORING_OP_READ), 0U);
}
