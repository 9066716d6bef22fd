#include "exporter/http/server.h"

#include <civetweb.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <future>
#include <span>
#include <utility>

#include "exporter/http/civetweb_accept.h"
#include "exporter/http/civetweb_tls.h"
#include "exporter/http/doorman.h"
#include "exporter/http/limits.h"
#include "exporter/http/listen.h"
#include "exporter/http/openssl.h"
#include "exporter/http/reply.h"
#include "exporter/http/request_facts.h"
#include "exporter/http/web_guard.h"

namespace sched_exporter {
namespace {

using Clock = std::chrono::steady_clock;

class CivetwebServer final : public HttpServer {
 public:
  CivetwebServer(std::vector<HttpRoute> routes, const HttpServing& serving)
      : routes_(std::move(routes)),
        logger_(serving.logger),
        guard_(serving.guard ? serving.guard : std::make_shared<WebGuard>()),
        has_tls_(guard_->has_tls()) {}
  CivetwebServer(const CivetwebServer&) = delete;
  CivetwebServer& operator=(const CivetwebServer&) = delete;
  ~CivetwebServer() override;

  const std::vector<int>& ports() const override { return ports_; }

  // Starts the threads.
  Result<void> Listen(const std::vector<std::string>& addresses,
                      const std::vector<Endpoint>& endpoints);

 private:
  static CivetwebServer& Of(const mg_connection* connection);
  static void OnContext(const mg_context* context) noexcept;
  static void* OnThread(const mg_context* context, int type) noexcept;
  static int OnRequest(mg_connection* connection) noexcept;
  static int OnLibraryError(mg_connection* connection, int status, const char* text) noexcept;
  static int OnLog(const mg_connection* connection, const char* text) noexcept;
  static int OnConnection(const mg_connection* connection, void** data) noexcept;
  static void OnConnectionClosed(const mg_connection* connection) noexcept;
  static int OnTlsContext(void** context, void* self) noexcept;
  static int OnClientHello(SSL* ssl, int* alert, void* self) noexcept;

  bool MakeTlsContext();
  mg_context* StartLibrary(const Endpoint& placeholder, std::span<char> error);
  HttpResponse Answer(const mg_connection* connection, const mg_request_info& request) const;
  HttpResponse Call(const HttpRoute& route, const HttpRequest& request) const;
  void Send(mg_connection* connection, HttpResponse response, const ReplyOptions& options) const;
  bool WriteAll(mg_connection* connection, std::string_view bytes,
                Clock::time_point deadline) const;
  void Log(std::string_view line) const;
  void ShutDown() const;

  const std::vector<HttpRoute> routes_;
  const HttpLogger logger_;
  const std::shared_ptr<WebGuard> guard_;
  const bool has_tls_;
  OpenSslPtr<SSL_CTX> tls_;  // what handshakes begin with; OnClientHello gives them the guard's
  std::unique_ptr<Doorman> doorman_;
  Result<void> opened_;  // as the next two, in Listen only
  std::exception_ptr thrown_;
  std::promise<void> master_;  // the thread that accepts, of type 0, has begun
  mg_context* context_ = nullptr;
  std::vector<int> ports_;
  // Where it really listens; other threads read it only when stopping_ is set.
  std::vector<Endpoint> bound_;
  std::atomic<bool> started_ = false;
  std::atomic<bool> stopping_ = false;
};

// When the connection was accepted by a thread. It lives in the pointer itself: steady_clock counts
// nanoseconds since boot, which fit.
Clock::time_point BirthOf(const mg_request_info& request) {
  return Clock::time_point(Clock::duration(reinterpret_cast<std::intptr_t>(request.conn_data)));
}

PeerName PeerOf(const mg_connection* connection) {
  const mg_request_info* request = mg_get_request_info(connection);
  if (request == nullptr) return {};
  return {request->remote_addr, request->remote_port, request->server_port};
}

// In slices, as civetweb measures only the time without progress.
bool CivetwebServer::WriteAll(mg_connection* connection, std::string_view bytes,
                              Clock::time_point deadline) const {
  while (!bytes.empty() && Clock::now() < deadline) {
    doorman_->Waits(PeerOf(connection));
    const std::size_t slice = std::min(bytes.size(), kWriteBytes);
    const int written = mg_write(connection, bytes.data(), slice);
    if (written < 0 || static_cast<std::size_t>(written) != slice) return false;
    bytes.remove_prefix(slice);
  }
  return bytes.empty();
}

CivetwebServer& CivetwebServer::Of(const mg_connection* connection) {
  return *static_cast<CivetwebServer*>(mg_get_user_data(mg_get_context(connection)));
}

HttpResponse CivetwebServer::Call(const HttpRoute& route, const HttpRequest& request) const {
  try {
    return route.handler(request);
  } catch (const std::exception& error) {
    Log(route.path + ": the handler threw: " + error.what());
  } catch (...) {
    Log(route.path + ": the handler threw something unknown");
  }
  return TextReply(500, "internal error");
}

HttpResponse CivetwebServer::Answer(const mg_connection* connection,
                                    const mg_request_info& request) const {
  const std::string_view method = request.request_method;
  const bool gets = method == "GET" || method == "HEAD";
  const bool posts = method == "POST" || method == "PUT";
  // Neither decoded nor cleaned of "..": what is not a route letter by letter does not exist.
  const std::string_view path = request.local_uri_raw;
  for (const HttpRoute& route : routes_) {
    if (route.path != path) continue;
    const bool takes_get = route.method == HttpMethod::kGet;
    if (takes_get ? gets : posts) {
      const char* query = request.query_string;
      return Call(route, {query == nullptr ? "" : query, HeaderOf(connection, "Accept")});
    }
    return NotAllowed(route.method);
  }
  return gets ? TextReply(404, "not found") : NotAllowed(HttpMethod::kGet);
}

void CivetwebServer::Send(mg_connection* connection, HttpResponse response,
                          const ReplyOptions& options) const {
  // Before the write: with this, civetweb does not wait for the rest of a request body.
  if (!options.keep_alive) mg_disable_connection_keep_alive(connection);
  const char* reason = mg_get_response_code_text(connection, response.status);
  const Reply reply = RenderReply(std::move(response), reason, options);
  const auto deadline = Clock::now() + kWriteTimeout;
  if (!WriteAll(connection, reply.head, deadline) || !WriteAll(connection, reply.body, deadline)) {
    mg_disable_connection_keep_alive(connection);  // the answer is cut, nothing may follow it
  }
}

void CivetwebServer::Log(std::string_view line) const {
  if (logger_) logger_(line);
}

// This catches what logger, allocation and compression may throw; a C library calls us.
int CivetwebServer::OnRequest(mg_connection* connection) noexcept {
  try {
    const CivetwebServer& server = Of(connection);
    const mg_request_info& request = *mg_get_request_info(connection);
    server.doorman_->Works(PeerOf(connection));
    ReplyOptions options;
    options.keep_alive = MayKeepAlive(request, Clock::now() - BirthOf(request));
    options.accepts_gzip = AcceptsGzip(HeaderOf(connection, "Accept-Encoding"));
    options.head_only = std::strcmp(request.request_method, "HEAD") == 0;
    if (BodyOf(request) == RequestBody::kUnclear) {
      server.Send(connection, TextReply(400, "the length of the body is unclear"), options);
      return 400;
    }
    auto refusal = server.guard_->Refuse(HeaderOf(connection, "Authorization"), request.remote_addr,
                                         Clock::now());
    options.headers = server.guard_->headers();
    HttpResponse response = refusal ? std::move(*refusal) : server.Answer(connection, request);
    const int status = response.status;
    server.Send(connection, std::move(response), options);
    return status;
  } catch (...) {
    // Nothing is written yet: only WriteAll writes, and it does not throw.
    static constexpr std::string_view kReply =
        "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Length: 15\r\nConnection: close\r\n\r\ninternal error\n";
    mg_disable_connection_keep_alive(connection);
    mg_write(connection, kReply.data(), kReply.size());
    return 500;
  }
}

// Requests that civetweb refuses before they reach OnRequest: malformed, too large, not in time.
int CivetwebServer::OnLibraryError(mg_connection* connection, int status,
                                   const char* text) noexcept {
  try {
    const CivetwebServer& server = Of(connection);
    ReplyOptions options;
    options.headers = server.guard_->headers();
    server.Send(connection, TextReply(status, text), options);
  } catch (...) {
    mg_disable_connection_keep_alive(connection);
  }
  return 0;
}

// civetweb listens, and has no thread yet.
void CivetwebServer::OnContext(const mg_context* context) noexcept {
  auto& server = *static_cast<CivetwebServer*>(mg_get_user_data(context));
  try {
    server.opened_ = server.doorman_->Open(AcceptsForCivetweb::listener());
  } catch (...) {
    server.thrown_ = std::current_exception();
  }
}

void* CivetwebServer::OnThread(const mg_context* context, int type) noexcept {
  if (type != 0) return nullptr;
  static_cast<CivetwebServer*>(mg_get_user_data(context))->master_.set_value();
  return nullptr;
}

// civetweb 1.15 fails without its first worker, only logs that it lacks others, and does not notice
// that it has no master.
bool LacksThreads(std::string_view text) {
  return text.find("first worker thread") != std::string_view::npos ||
         text.find("start worker thread") != std::string_view::npos;
}

tl::unexpected<Error> NoThreads() { return Fail(std::string("cannot serve: ") + kNoThread); }

int CivetwebServer::OnLog(const mg_connection* connection, const char* text) noexcept {
  try {
    CivetwebServer& server = Of(connection);
    if (server.started_) {
      server.Log(text);
    } else if (server.opened_ && LacksThreads(text)) {
      server.opened_ = NoThreads();
    }
  } catch (...) {
    return 1;  // a logger that throws loses its line, not the server
  }
  return 1;
}

// A connection that its thread takes after the destructor looked around for sockets is shut down
// here; one that was taken before was found there. So none is missed and nobody waits.
int CivetwebServer::OnConnection(const mg_connection* connection, void** data) noexcept {
  const CivetwebServer& server = Of(connection);
  if (server.stopping_) server.ShutDown();
  *data =
      reinterpret_cast<void*>(static_cast<std::intptr_t>(Clock::now().time_since_epoch().count()));
  return 0;
}

void CivetwebServer::OnConnectionClosed(const mg_connection* connection) noexcept {
  Of(connection).doorman_->Left();
}

int CivetwebServer::OnClientHello(SSL* ssl, int* alert, void* self) noexcept {
  try {
    if (static_cast<CivetwebServer*>(self)->guard_->BeginHandshake(ssl)) {
      return SSL_CLIENT_HELLO_SUCCESS;
    }
  } catch (...) {
    // A C library calls us; the client is told below.
  }
  *alert = SSL_AD_INTERNAL_ERROR;
  return SSL_CLIENT_HELLO_ERROR;
}

// civetweb asks when it starts and, to learn whose the context is, when it ends.
int CivetwebServer::OnTlsContext(void** context, void* self) noexcept {
  *context = static_cast<CivetwebServer*>(self)->tls_.get();
  return 1;
}

bool CivetwebServer::MakeTlsContext() {
  tls_.reset(SSL_CTX_new(TLS_server_method()));
  if (!tls_) return false;
  // Nothing of an earlier handshake holds for a later one, whose settings may be others.
  SSL_CTX_set_session_cache_mode(tls_.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(tls_.get(), 0);
  SSL_CTX_set_options(tls_.get(),
                      SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // A read comes back after each record, so that civetweb's limits hold for empty ones, too.
  SSL_CTX_clear_mode(tls_.get(), SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_min_proto_version(tls_.get(), TLS1_VERSION);  // the guard knows better
  SSL_CTX_set_client_hello_cb(tls_.get(), &OnClientHello, this);
  return true;
}

// civetweb wants a socket to listen on. It never gets a connection: see Doorman.
mg_context* CivetwebServer::StartLibrary(const Endpoint& placeholder, std::span<char> error) {
  const std::string listening_port = CivetwebPort(placeholder) + (has_tls_ ? "s" : "");
  const std::string threads = std::to_string(kThreads);
  const std::string largest_head = std::to_string(kLargestHead);
  // No document_root: civetweb has no files to serve, and OnRequest leaves it no request anyway.
  const std::initializer_list<std::pair<const char*, const char*>> settings = {
      {"listening_ports", listening_port.c_str()},
      {"num_threads", threads.c_str()},
      {"connection_queue", kQueue},
      {"max_request_size", largest_head.c_str()},
      {"request_timeout_ms", has_tls_ ? kRequestTimeoutMsOfTls : kRequestTimeoutMs},
      {"enable_keep_alive", "yes"},
      {"keep_alive_timeout_ms", kKeepAliveTimeoutMs},
      {"tcp_nodelay", "1"},
      {"decode_url", "no"},
      {"enable_directory_listing", "no"},
      {"enable_auth_domain_check", "no"},  // would compare the host in "GET http://host/path"
  };
  std::vector<const char*> options;
  for (const auto& [name, value] : settings) options.insert(options.end(), {name, value});
  options.push_back(nullptr);
  mg_callbacks callbacks{};
  callbacks.init_context = &OnContext;
  callbacks.init_thread = &OnThread;
  callbacks.begin_request = &OnRequest;
  callbacks.http_error = &OnLibraryError;
  callbacks.log_message = &OnLog;
  callbacks.init_connection = &OnConnection;
  callbacks.connection_closed = &OnConnectionClosed;
  callbacks.external_ssl_ctx = &OnTlsContext;
  mg_init_data init{&callbacks, this, options.data()};
  unsigned code = 0;
  mg_error_data error_data{&code, error.data(), error.size()};
  return mg_start2(&init, &error_data);
}

Result<void> CivetwebServer::Listen(const std::vector<std::string>& addresses,
                                    const std::vector<Endpoint>& endpoints) {
  auto listeners = ListenOn(addresses, endpoints);
  if (!listeners) return tl::unexpected(listeners.error());
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    bound_.push_back(WithPort(endpoints[i], PortOf((*listeners)[i])));
    ports_.push_back(PortOf((*listeners)[i]));
  }
  if (has_tls_) {
    LendOpenSslToCivetweb();
    if (!MakeTlsContext()) return Fail("cannot set up TLS: " + OpenSslReason());
  }
  doorman_ = std::make_unique<Doorman>(
      std::move(*listeners), Doorman::Settings{{kThreads, kThreadsOfAClient, kWaiting, kPatience,
                                                kLeastPatience, !has_tls_},
                                               kRoom,
                                               has_tls_ ? kHelloPatience : kHeadPatience,
                                               kLargestHead,
                                               has_tls_});
  std::array<char, 200> text{};
  const AcceptsForCivetweb accepts(*doorman_);
  context_ = StartLibrary(WithPort(endpoints.front(), 0), text);
  const auto has_master = [this] {
    return master_.get_future().wait_for(kThreadPatience) == std::future_status::ready;
  };
  if (opened_ && !(context_ != nullptr && has_master())) {
    const bool lacks_threads = context_ != nullptr || LacksThreads(text.data());
    opened_ = lacks_threads ? NoThreads() : Fail("cannot serve: " + std::string(text.data()));
  }
  // Where there is no master to end the workers, mg_stop() would free what they have.
  if (thrown_ || !opened_) context_ = nullptr;
  if (thrown_) std::rethrow_exception(thrown_);
  started_ = true;
  return opened_;
}

void CivetwebServer::ShutDown() const {
  for (const Endpoint& endpoint : bound_) ShutDownSockets(endpoint);
}

// mg_stop alone takes two seconds: each thread of civetweb looks at its stop flag only when its
// poll() returns. So all sockets are ended first, which wakes every thread and keeps it awake.
CivetwebServer::~CivetwebServer() {
  if (context_ == nullptr) return;
  stopping_ = true;
  doorman_->Close();
  ShutDown();
  mg_stop(context_);
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServing& serving,
                                                      std::vector<HttpRoute> routes) {
  const auto endpoints = ResolveAll(serving.addresses);
  if (!endpoints) return tl::unexpected(endpoints.error());
  auto server = std::make_unique<CivetwebServer>(std::move(routes), serving);
  if (const auto listening = server->Listen(serving.addresses, *endpoints); !listening) {
    return tl::unexpected(listening.error());
  }
  return server;
}

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address,
                                                      std::vector<HttpRoute> routes,
                                                      HttpLogger logger) {
  return Start(HttpServing{{address}, std::move(logger)}, std::move(routes));
}

}  // namespace sched_exporter
