#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "exporter/base/result.h"
#include "exporter/http/client.h"
#include "exporter/http/openssl.h"

namespace sched_exporter {

/// A client's side of TLS without a socket: the caller carries bytes from TakeOutput() to the
/// server and from there to PutInput(). So the caller alone waits, and no write raises SIGPIPE.
class TlsClient {
 public:
  /// What is to be done; as SSL_read() and the like, it is repeated until it is done.
  using Step = std::function<int(SSL*)>;

  /// A step's result that is not done: the server has to say more.
  static constexpr std::size_t kWantsInput = std::numeric_limits<std::size_t>::max();

  /// `name` is the server's name or address as its certificate should have it.
  static Result<std::unique_ptr<TlsClient>> Make(const std::string& name,
                                                 const HttpClientOptions& options);

  static Step Handshake();
  /// `bytes` outlive the step.
  static Step Write(std::string_view bytes);
  static Step Read(std::span<char> buffer);

  /// How many bytes the step read or wrote, 0 at the end of what the server says.
  Result<std::size_t> Run(const Step& step);

  std::string TakeOutput();
  void PutInput(std::string_view bytes);

 private:
  TlsClient() = default;

  Result<void> Trust(const std::string& name, const HttpClientOptions& options);
  std::string ReasonOfFailure() const;

  OpenSslPtr<X509> pinned_;
  OpenSslPtr<SSL_CTX> context_;
  OpenSslPtr<SSL> ssl_;
  BIO* input_ = nullptr;  ///< Both are ssl_'s.
  BIO* output_ = nullptr;
};

}  // namespace sched_exporter
