#pragma once

#include <sys/socket.h>

namespace sched_exporter {

/// Where civetweb gets its connections from, instead of a listening socket. For any thread.
class ConnectionSource {
 public:
  virtual ~ConnectionSource() = default;

  /// As accept(2): a connection that is the caller's, or -1 and errno.
  virtual int Accept(sockaddr* address, socklen_t* size) = 0;
};

/// While it lives, a socket on which this thread calls listen() is one of civetweb's, and
/// accept() of it asks `source`. After it, that goes on until Forget().
class AcceptsForCivetweb {
 public:
  explicit AcceptsForCivetweb(ConnectionSource& source);
  ~AcceptsForCivetweb();
  AcceptsForCivetweb(const AcceptsForCivetweb&) = delete;
  AcceptsForCivetweb& operator=(const AcceptsForCivetweb&) = delete;

  /// The socket on which civetweb listens, asked by the thread of such an object; -1: none.
  static int listener();

  /// From here on nobody asks `source` any more. civetweb must have stopped.
  static void Forget(const ConnectionSource& source);
};

}  // namespace sched_exporter
