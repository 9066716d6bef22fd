#include "exporter/http/tls_client.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>

#include "exporter/http/url.h"

namespace sched_exporter {
namespace {

/// For a server whose certificate is known.
int IsPinned(X509_STORE_CTX* store, void* pinned) {
  const bool is_same =
      X509_cmp(X509_STORE_CTX_get0_cert(store), static_cast<const X509*>(pinned)) == 0;
  X509_STORE_CTX_set_error(store, is_same ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
  return is_same ? 1 : 0;
}

}  // namespace

Result<void> TlsClient::Trust(const std::string& name, const HttpClientOptions& options) {
  SSL_CTX* const context = context_.get();
  if (!options.pinned_certificate_pem.empty()) {
    auto certificates = ReadCertificates(options.pinned_certificate_pem);
    if (!certificates) {
      return tl::unexpected(certificates.error());
    }
    pinned_ = std::move(certificates->front());
    SSL_CTX_set_cert_verify_callback(context, &IsPinned, pinned_.get());
  } else if (options.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else if (SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1) {
    return Fail("cannot use the CA file " + options.ca_file + " (" + OpenSslReason() + ")");
  }
  X509_STORE_set_flags(SSL_CTX_get_cert_store(context), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_verify(context, options.insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  ssl_.reset(SSL_new(context));
  X509_VERIFY_PARAM* const wanted = SSL_get0_param(ssl_.get());
  if (IsIpAddress(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(wanted, name.c_str(), name.size());
    SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
  }
  return {};
}

Result<std::unique_ptr<TlsClient>> TlsClient::Make(const std::string& name,
                                                   const HttpClientOptions& options) {
  std::unique_ptr<TlsClient> client(new TlsClient());
  client->context_.reset(SSL_CTX_new(TLS_client_method()));
  if (!client->context_) {
    return Fail("cannot set up TLS (" + OpenSslReason() + ")");
  }
  SSL_CTX_set_min_proto_version(client->context_.get(), TLS1_2_VERSION);
  if (auto trusts = client->Trust(name, options); !trusts) {
    return tl::unexpected(trusts.error());
  }
  client->input_ = BIO_new(BIO_s_mem());
  client->output_ = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(client->input_, -1);  // empty is not the end
  SSL_set_bio(client->ssl_.get(), client->input_, client->output_);
  SSL_set_connect_state(client->ssl_.get());
  return client;
}

TlsClient::Step TlsClient::Handshake() { return &SSL_do_handshake; }

TlsClient::Step TlsClient::Write(std::string_view bytes) {
  return [bytes](SSL* ssl) { return SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size())); };
}

TlsClient::Step TlsClient::Read(std::span<char> buffer) {
  return
      [buffer](SSL* ssl) { return SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size())); };
}

std::string TlsClient::ReasonOfFailure() const {
  const long verified = SSL_get_verify_result(ssl_.get());
  if (SSL_get_verify_mode(ssl_.get()) == SSL_VERIFY_PEER && verified != X509_V_OK) {
    ERR_clear_error();
    return std::string("the server's certificate is not trusted (") +
           X509_verify_cert_error_string(verified) + ")";
  }
  return "TLS failed (" + OpenSslReason() + ")";
}

Result<std::size_t> TlsClient::Run(const Step& step) {
  ERR_clear_error();
  const int done = step(ssl_.get());
  if (done > 0) {
    return static_cast<std::size_t>(done);
  }
  switch (SSL_get_error(ssl_.get(), done)) {
    case SSL_ERROR_WANT_READ:
      return kWantsInput;
    case SSL_ERROR_ZERO_RETURN:
      return std::size_t{0};
    default:
      return Fail(ReasonOfFailure());
  }
}

std::string TlsClient::TakeOutput() {
  std::string bytes(BIO_ctrl_pending(output_), '\0');
  if (!bytes.empty()) {
    BIO_read(output_, bytes.data(), static_cast<int>(bytes.size()));
  }
  return bytes;
}

void TlsClient::PutInput(std::string_view bytes) {
  BIO_write(input_, bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace sched_exporter
