#include "exporter/http/civetweb_accept.h"

#include <dlfcn.h>

#include <map>
#include <mutex>

namespace sched_exporter {
namespace {

// Who answers accept() of a socket.
struct SourceBook {
  std::mutex mutex;
  std::map<int, ConnectionSource*> sources;
};

// Never destroyed: accept() may be called while the program ends.
SourceBook& Sources() {
  static auto& book = *new SourceBook();
  return book;
}

thread_local ConnectionSource* source_of_thread = nullptr;
thread_local int listener_of_thread = -1;

void NoteListener(int fd) {
  if (source_of_thread == nullptr) return;
  SourceBook& book = Sources();
  const std::lock_guard lock(book.mutex);
  book.sources[fd] = source_of_thread;
  listener_of_thread = fd;
}

ConnectionSource* SourceOf(int fd) {
  SourceBook& book = Sources();
  const std::lock_guard lock(book.mutex);
  const auto found = book.sources.find(fd);
  return found == book.sources.end() ? nullptr : found->second;
}

}  // namespace

AcceptsForCivetweb::AcceptsForCivetweb(ConnectionSource& source) {
  source_of_thread = &source;
  listener_of_thread = -1;
}

AcceptsForCivetweb::~AcceptsForCivetweb() { source_of_thread = nullptr; }

int AcceptsForCivetweb::listener() { return listener_of_thread; }

void AcceptsForCivetweb::Forget(const ConnectionSource& source) {
  SourceBook& book = Sources();
  const std::lock_guard lock(book.mutex);
  std::erase_if(book.sources, [&](const auto& entry) { return entry.second == &source; });
}

}  // namespace sched_exporter

// Found by civetweb through the dynamic symbols of the program (exporter/CMakeLists.txt exports
// them), before libc's.
extern "C" {

/// As libc's, and notes whose socket it is.
int listen(int fd, int backlog) noexcept {
  using ListenFunction = int (*)(int, int);
  static const auto next = reinterpret_cast<ListenFunction>(::dlsym(RTLD_NEXT, "listen"));
  const int result = next(fd, backlog);
  if (result == 0) sched_exporter::NoteListener(fd);
  return result;
}

/// As libc's, but for sockets of civetweb.
int accept(int fd, sockaddr* address, socklen_t* size) {
  using AcceptFunction = int (*)(int, sockaddr*, socklen_t*);
  static const auto next = reinterpret_cast<AcceptFunction>(::dlsym(RTLD_NEXT, "accept"));
  sched_exporter::ConnectionSource* source = sched_exporter::SourceOf(fd);
  return source != nullptr ? source->Accept(address, size) : next(fd, address, size);
}

}  // extern "C"
