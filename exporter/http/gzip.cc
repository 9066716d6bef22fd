#include <zlib.h>

#include <limits>
#include <memory>

#include "exporter/base/text.h"
#include "exporter/http/server.h"

namespace sched_exporter {
namespace {

// The least CPU time. Level 3 took 8 to 30 % more of it for 2 % less text, level 6 more than twice
// as much for 14 % less (docs/performance.md).
constexpr int kLevel = 1;
constexpr int kGzipFormat = 16;  // added to the window bits: gzip, not zlib
constexpr int kWindowBits = 15;  // the largest window, 32 KB
constexpr int kMemoryLevel = 8;  // zlib's default
constexpr std::size_t kPieceBytes = std::size_t{64} * 1024;

bool EqualNoCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != lower[i]) return false;
  }
  return true;
}

// Takes what comes before `separator` off the front of `rest`.
std::string_view Next(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
  return Trim(part);
}

// True for "q=1", "q=0.5"; false for "q=0", "q=0.000" and what is no weight at all.
bool IsPositiveWeight(std::string_view parameter) {
  if (parameter.size() < 3 || !EqualNoCase(parameter.substr(0, 2), "q=")) return false;
  const std::string_view value = parameter.substr(2);
  return value.find_first_not_of("0123456789.") == value.npos &&
         value.find_first_of("123456789") != value.npos;
}

struct EndDeflate {
  void operator()(z_stream* stream) const { deflateEnd(stream); }
};

}  // namespace

bool AcceptsGzip(std::string_view accept_encoding) {
  bool any_coding = false;
  while (!accept_encoding.empty()) {
    std::string_view element = Next(accept_encoding, ',');
    const std::string_view coding = Next(element, ';');
    const bool allowed = element.empty() || IsPositiveWeight(Trim(element));
    if (EqualNoCase(coding, "gzip") || EqualNoCase(coding, "x-gzip")) return allowed;
    if (coding == "*") any_coding = allowed;
  }
  return any_coding;
}

Result<std::string> Gzip(std::string_view text) {
  if (text.size() > std::numeric_limits<uInt>::max()) return Fail("gzip: more than 4 GB of text");
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kWindowBits + kGzipFormat, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return Fail("gzip: out of memory");
  }
  const std::unique_ptr<z_stream, EndDeflate> end(&stream);
  // zlib never writes to its input; its type lacks the const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  // Piece by piece: the bound for all of it would be memory of the size of `text` again.
  std::string compressed;
  int status = Z_OK;
  while (status == Z_OK) {
    const std::size_t done = compressed.size();
    compressed.resize(done + kPieceBytes);
    stream.next_out = reinterpret_cast<Bytef*>(compressed.data() + done);
    stream.avail_out = kPieceBytes;
    status = deflate(&stream, Z_FINISH);
    compressed.resize(stream.total_out);
  }
  if (status != Z_STREAM_END) return Fail("gzip: zlib gave up");
  return compressed;
}

}  // namespace sched_exporter
