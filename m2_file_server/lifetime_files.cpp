// The same story with the table of registered files: a request that names a file by its place names
// what is in that place when the kernel takes the request, not when the request was written.

#include "common/uring/prep.hpp"
#include "common/uring/registered_files.hpp"
#include "m2_file_server/lifetime_steps.hpp"

namespace file_server {

namespace {

constexpr int kPlace = 0;
constexpr std::string_view kOld = "the old file";
constexpr std::string_view kNew = "the new file";

// The READ is prepared, the place is updated, then the READ is submitted.
bool update_before_submit(Stage& stage, uring::RegisteredFiles& table, int new_file) {
  Story& story = stage.story();
  story.say(
      "Place %d of the table holds the old file. A READ of place %d is prepared. Before it is "
      "submitted the cache needs the place, and puts the new file there.",
      kPlace, kPlace);
  put_text(stage.slot(0), "");
  stage.prepare(1, [&](auto& sqe) {
    uring::prep_read(sqe, kPlace, stage.slot(0), 0);
    sqe.flags |= uring::IOSQE_FIXED_FILE;
  });
  if (const auto set = table.set(kPlace, new_file); !set) {
    return story.cannot("update the table of files", set.error());
  }
  const auto cqe = stage.submit() ? stage.next_completion() : std::nullopt;
  if (!cqe) {
    return false;
  }
  story.claim(text_in(stage.slot(0)) == kNew, "the READ succeeded, res is %d; it has read: \"%s\"",
              cqe->res, text_in(stage.slot(0)).c_str());
  return true;
}

// The RECV is submitted and pending, then the place is updated.
bool update_in_flight(Stage& stage, uring::RegisteredFiles& table, int new_file) {
  Story& story = stage.story();
  auto connection = connect_pair(story);
  if (!connection) {
    return false;
  }
  story.say(
      "What is in flight keeps its file: a RECV on the connection in place %d is pending when "
      "the place gets the new file, and the connection's descriptor is closed.",
      kPlace);
  if (const auto set = table.set(kPlace, connection->server.get()); !set) {
    return story.cannot("update the table of files", set.error());
  }
  if (!stage.start(1, [&](auto& sqe) {
        uring::prep_recv(sqe, kPlace, stage.slot(0), 0);
        sqe.flags |= uring::IOSQE_FIXED_FILE;
      })) {
    return false;
  }
  if (const auto set = table.set(kPlace, new_file); !set) {
    return story.cannot("update the table of files", set.error());
  }
  connection->server.reset();
  if (!send_text(story, connection->client.get(), kOld)) {
    return false;
  }
  const auto cqe = stage.next_completion();
  if (!cqe) {
    return false;
  }
  story.claim(text_in(stage.slot(0)) == kOld, "the RECV succeeded, res is %d; it has got: \"%s\"",
              cqe->res, text_in(stage.slot(0)).c_str());
  return true;
}

}  // namespace

bool file_named_by_its_place(Stage& stage) {
  Story& story = stage.story();
  story.section("The twin: a file that is named by its place");
  const auto old_file = make_file(story, kOld);
  const auto new_file = make_file(story, kNew);
  if (!old_file || !new_file) {
    return false;
  }
  const std::array files = {old_file->get()};
  auto table = uring::RegisteredFiles::create(stage.ring(), files);
  if (!table) {
    return story.cannot("register a table of files", table.error());
  }
  if (!update_before_submit(stage, *table, new_file->get()) ||
      !update_in_flight(stage, *table, new_file->get())) {
    return false;
  }
  story.say(
      "So a place is on loan from the moment when a request is prepared, and a buffer as well; the "
      "server pins the place of a file as long as an answer uses it.");
  return true;
}

}  // namespace file_server
