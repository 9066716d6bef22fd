#include <zlib.h>

#include <array>

#include "tests/support/http_client.h"

namespace sched_exporter::test_support {

Result<std::string> Gunzip(std::string_view compressed) {
  z_stream stream{};
  // 16 asks zlib for the gzip format only; 15 is the largest window.
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return Fail("gunzip: no memory");
  // zlib never writes to its input; its type lacks the const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string text;
  int status = Z_OK;
  while (status == Z_OK) {
    std::array<char, 65536> part;
    stream.next_out = reinterpret_cast<Bytef*>(part.data());
    stream.avail_out = part.size();
    status = inflate(&stream, Z_NO_FLUSH);
    text.append(part.data(), part.size() - stream.avail_out);
  }
  const bool complete = status == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  if (!complete) return Fail("gunzip: damaged, cut or followed by other bytes");
  return text;
}

}  // namespace sched_exporter::test_support
