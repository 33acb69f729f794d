// Files that may be gzipped: the bytes do not depend on how they are asked for, and packed again they are the same.
#include <zlib.h>

#include <nn/files/input.hpp>

#include "fuzz.hpp"

namespace {

constexpr std::size_t most = std::size_t{1} << 22;  // a few bytes unpack to many

std::string packed(const std::string& bytes) {
    z_stream stream{};
    fuzz::require(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib starts");
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    fuzz::require(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib packs");
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const fuzz::MemoryFile file(fuzz::text_of(data, size));
    std::string whole;
    const bool good = fuzz::accepts([&] { whole = nn::files::Input(file.path()).read(most); });
    std::string pieces;
    const bool good_in_pieces = fuzz::accepts([&] {
        nn::files::Input input(file.path());
        for (std::size_t n = 1; pieces.size() < most && input.peek() >= 0; n = n * 3 % 1009)
            pieces += n % 7 == 0 ? std::string(1, static_cast<char>(input.get()))
                                 : input.read(std::min(n, most - pieces.size()));
    });
    if (!good) return 0;
    fuzz::require(good_in_pieces && pieces == whole, "what is read does not depend on the pieces");
    const bool is_packed = size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
    if (!is_packed && whole.size() < most)
        fuzz::require(whole == fuzz::text_of(data, size), "plain bytes are themselves");
    const fuzz::MemoryFile again(packed(whole));
    fuzz::require(nn::files::Input(again.path()).read(most + 1) == whole, "packed again, the bytes are the same");
    return 0;
}
