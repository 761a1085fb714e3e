// Buffers that are given away while the kernel still has a request to write into them.

#include <sys/mman.h>
#include <unistd.h>

#include "common/base/errno.hpp"
#include "common/uring/prep.hpp"
#include "m2_file_server/lifetime_steps.hpp"

namespace file_server {

namespace {

constexpr std::string_view kPage = "The page that B has asked for.";
constexpr std::string_view kSecret = "A's password: 1234";

// A page of its own, which can be unmapped and mapped again.
void* map_page(void* address, int flags) {
  return ::mmap(address, Stage::kSlotBytes, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

// A RECV into a page that is unmapped, and mapped by somebody else if `has_new_owner`, before the
// bytes come.
bool receive_into_unmapped(Stage& stage, bool has_new_owner) {
  Story& story = stage.story();
  const auto a = connect_pair(story);
  void* page = map_page(nullptr, 0);
  if (!a || page == MAP_FAILED) {
    return page == MAP_FAILED ? story.cannot("map a page", base::last_error()) : false;
  }
  const std::span bytes(static_cast<std::byte*>(page), Stage::kSlotBytes);
  if (!stage.start(1, [&](auto& sqe) { uring::prep_recv(sqe, a->server.get(), bytes, 0); })) {
    return false;
  }
  ::munmap(page, Stage::kSlotBytes);
  if (has_new_owner) {
    if (map_page(page, MAP_FIXED_NOREPLACE) != page) {
      return story.cannot("map the page again", base::last_error());
    }
    put_text(bytes, kPage);
  }
  if (!send_text(story, a->client.get(), kSecret)) {
    return false;
  }
  const auto cqe = stage.next_completion();
  if (!cqe) {
    return false;
  }
  if (has_new_owner) {
    story.claim(text_in(bytes).starts_with(kSecret),
                "unmapped, and mapped again for another use, the page holds: \"%s\"",
                text_in(bytes).c_str());
    ::munmap(page, Stage::kSlotBytes);
  } else {
    story.claim(cqe->res == -EFAULT,
                "unmapped, with nothing in its place: res is %d (%s); that one is the lucky case",
                cqe->res, cqe->res < 0 ? base::Errno{-cqe->res}.name() : "no error");
  }
  return true;
}

}  // namespace

bool one_buffer_for_two_reads(Stage& stage) {
  Story& story = stage.story();
  story.section("One buffer for two reads");
  const auto a = connect_pair(story);
  const auto b = connect_pair(story);
  const auto file = make_file(story, kPage);
  if (!a || !b || !file) {
    return false;
  }
  const std::span<std::byte> buffer = stage.slot(0);
  story.say(
      "Client A is connected and silent: a RECV into buffer 0 is pending. The program takes "
      "silence "
      "for the end, counts buffer 0 as free, and reads a page for client B into it.");
  if (!stage.start(1, [&](auto& sqe) { uring::prep_recv(sqe, a->server.get(), buffer, 0); })) {
    return false;
  }
  const auto read = stage.run(2, [&](auto& sqe) { uring::prep_read(sqe, file->get(), buffer, 0); });
  if (!read) {
    return false;
  }
  story.claim(read->user_data == 2 && text_in(buffer) == kPage,
              "the READ for B succeeded, res is %d; buffer 0 holds: \"%s\"", read->res,
              text_in(buffer).c_str());

  story.say("Before it is sent, A says something at last.");
  if (!send_text(story, a->client.get(), kSecret)) {
    return false;
  }
  const auto received = stage.next_completion();
  if (!received) {
    return false;
  }
  story.claim(received->user_data == 1 && text_in(buffer) != kPage,
              "the RECV for A succeeded, res is %d; buffer 0 holds: \"%s\"", received->res,
              text_in(buffer).c_str());

  const auto page_bytes = buffer.first(static_cast<std::size_t>(read->res));
  const auto sent =
      stage.run(3, [&](auto& sqe) { uring::prep_send(sqe, b->server.get(), page_bytes, 0); });
  if (!sent) {
    return false;
  }
  const std::string answer = receive_text(story, b->client.get());
  story.claim(answer.starts_with(kSecret), "the SEND to B succeeded, res is %d; B got: \"%s\"",
              sent->res, answer.c_str());
  story.say("Three requests, no error anywhere, and B has read what A sent.");
  return true;
}

bool memory_that_is_gone(Stage& stage) {
  Story& story = stage.story();
  story.section("Memory that is gone: the stack, the heap, a mapping");
  story.say(
      "A buffer on the stack of a function that has returned, or in memory that was freed, is the "
      "same thing: what lies there now has another owner. It does not crash, and AddressSanitizer "
      "is "
      "silent: the kernel is not instrumented. Here with a page, which can be given back and taken "
      "again without undefined behaviour; a RECV into it is pending all the while.");
  return receive_into_unmapped(stage, true) && receive_into_unmapped(stage, false);
}

}  // namespace file_server
