// Buffers that know to whom they are lent, and refuse: buffer_pool.hpp, as the server uses it.

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "common/base/errno.hpp"
#include "common/uring/prep.hpp"
#include "m2_file_server/buffer_pool.hpp"
#include "m2_file_server/lifetime_steps.hpp"

namespace file_server {

namespace {

constexpr std::string_view kPage = "The page that B has asked for.";

// What became of a process that did what it must not.
struct Death {
  bool aborted = false;
  std::string message;  // what it said on stderr, from the name of the source file on
};

std::string read_all(int fd) {
  std::string text;
  std::array<char, 512> piece;
  ssize_t count = 0;
  while ((count = ::read(fd, piece.data(), piece.size())) > 0) {
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  return text;
}

// The first line, without the folders in front of the file's name.
std::string file_and_message(const std::string& text) {
  const std::string line = text.substr(0, text.find('\n'));
  const std::size_t folders = line.rfind('/', line.find(':'));
  return folders == std::string::npos ? line : line.substr(folders + 1);
}

// Runs `mistake` in a child process, which the CHECK may end without ending us. The child has a copy of
// the pool and its states; it makes no request.
template <class Mistake>
std::optional<Death> try_in_a_child(Story& story, Mistake mistake) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) {
    story.cannot("make a pipe", base::last_error());
    return std::nullopt;
  }
  const base::UniqueFd reading(ends[0]);
  base::UniqueFd writing(ends[1]);
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child < 0) {
    story.cannot("fork", base::last_error());
    return std::nullopt;
  }
  if (child == 0) {
    ::dup2(writing.get(), STDERR_FILENO);
    ::prctl(PR_SET_DUMPABLE, 0);  // no core file
    mistake();
    ::_exit(0);
  }
  writing.reset();
  const std::string said = read_all(reading.get());
  int status = 0;
  if (::waitpid(child, &status, 0) != child) {
    story.cannot("wait for a child", base::last_error());
    return std::nullopt;
  }
  return Death{.aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
               .message = file_and_message(said)};
}

template <class Mistake>
bool claim_refused(Story& story, const char* what, Mistake mistake) {
  const auto death = try_in_a_child(story, mistake);
  if (!death) {
    return false;
  }
  story.claim(death->aborted, "%s: %s%s", what, death->aborted ? "aborted, " : "went through ",
              death->message.c_str());
  return true;
}

// While the buffer is lent: the mistakes of the steps before.
bool mistakes_while_lent(Story& story, BufferPool& pool, BufferId id) {
  story.claim(!pool.acquire(), "it is not handed out again: with one buffer, acquire() gives none");
  return claim_refused(story, "made free", [&] { pool.release(id); }) &&
         claim_refused(story, "lent to a second request",
                       [&] { pool.begin(id, BufferState::Reading); }) &&
         claim_refused(story, "looked at, or written to",
                       [&] { put_text(pool.body(id), "The second owner's."); });
}

}  // namespace

bool the_cure(Stage& stage) {
  Story& story = stage.story();
  story.section("The cure: a buffer knows to whom it is lent");
  const auto b = connect_pair(story);
  const auto a = connect_pair(story);
  auto pool = BufferPool::create(1, Stage::kSlotBytes);
  if (!a || !b) {
    return false;
  }
  if (!pool) {
    return story.cannot("map the buffers", pool.error());
  }
  story.say(
      "The server's buffers have a state: Free, Held, Reading (the kernel writes into it), Sending "
      "(the kernel reads from it). begin() goes with the SQE, end() with its CQE, and both check, "
      "in "
      "every build. Each mistake is made in a child process here, because it ends the process.");
  const BufferId id = *pool->acquire();
  const std::span<std::byte> body = pool->body(id);
  pool->begin(id, BufferState::Reading);
  if (!stage.start(1, [&](auto& sqe) { uring::prep_recv(sqe, a->server.get(), body, 0); })) {
    return false;
  }
  story.say("A RECV is pending, and its buffer is Reading.");
  if (!mistakes_while_lent(story, *pool, id)) {
    return false;
  }

  story.say("Then the RECV is cancelled, the buffer waits for both completions, and goes on.");
  if (!stage.start(2, [](auto& sqe) { uring::prep_cancel(sqe, 1, 0); })) {
    return false;
  }
  for (int completions = 0; completions < 2; ++completions) {
    const auto cqe = stage.next_completion();
    if (!cqe) {
      return false;
    }
    if (cqe->user_data == 1) {
      pool->end(id, BufferState::Reading);
    }
  }
  put_text(pool->body(id), kPage);
  pool->begin(id, BufferState::Sending);
  if (!stage.start(3, [&](auto& sqe) {
        uring::prep_send(sqe, b->server.get(), body.first(kPage.size()), 0);
      })) {
    return false;
  }
  if (!claim_refused(story, "changed while it is Sending",
                     [&] { put_text(pool->body(id), "Another page."); })) {
    return false;
  }
  if (!stage.next_completion()) {
    return false;
  }
  pool->end(id, BufferState::Sending);
  pool->release(id);
  const std::string answer = receive_text(story, b->client.get());
  story.claim(answer == kPage && pool->count(BufferState::Free) == 1,
              "B got: \"%s\"; the buffer is free again", answer.c_str());
  return true;
}

}  // namespace file_server
