#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <limits>
#include <new>
#include <nn/files/text.hpp>
#include <nn/files/zip.hpp>
#include <set>

namespace nn::files {

using autograd::FileError;

namespace {

// The records of a zip file begin with these, and have at least so many bytes.
constexpr std::string_view local = "PK\3\4", central = "PK\1\2", end_record = "PK\5\6", end64 = "PK\6\6",
                           locator64 = "PK\6\7";
constexpr std::size_t local_size = 30, central_size = 46, end_size = 22, end64_size = 56, locator64_size = 20;

constexpr std::uint64_t in_extra = 0xffffffff;  // a number that stands in the extra field, as it has more digits
constexpr unsigned stored = 0, deflated = 8;
constexpr unsigned encrypted = 0x2041, named_in_utf8 = 0x800;  // bits of the flags

[[noreturn]] void fail(const std::string& path, const std::string& what) {
    throw FileError(fmt::format("{}: {}", printable(path), what));
}

/// The numbers and pieces of a file, none beyond its end.
class Bytes {
  public:
    Bytes(const std::string& path, std::string_view bytes) : path_(path), bytes_(bytes) {}

    std::string_view piece(std::uint64_t at, std::uint64_t size) const {
        if (at > bytes_.size() || size > bytes_.size() - at) damaged();
        return bytes_.substr(at, size);
    }
    std::uint64_t number(std::uint64_t at, std::size_t width) const {
        std::uint64_t value = 0;
        const std::string_view bytes = piece(at, width);
        for (std::size_t i = width; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
        return value;
    }
    void require(std::uint64_t at, std::string_view signature) const {
        if (piece(at, signature.size()) != signature) damaged();
    }
    std::size_t size() const { return bytes_.size(); }
    [[noreturn]] void damaged() const { fail(path_, "the zip file is damaged or cut short"); }

  private:
    const std::string& path_;
    std::string_view bytes_;
};

/// The list of members at the end of a file.
struct Directory {
    explicit Directory(const Bytes& file) {
        if (file.size() < end_size) file.damaged();
        std::uint64_t at = file.size() - end_size;
        const std::uint64_t longest_comment = std::min<std::uint64_t>(at, 0xffff);
        for (std::uint64_t comment = 0;; ++comment, --at) {
            if (file.piece(at, 4) == end_record && file.number(at + 20, 2) == comment) break;
            if (comment == longest_comment) file.damaged();
        }
        std::uint64_t disks = file.number(at + 4, 4), here = file.number(at + 8, 2);
        count = file.number(at + 10, 2), size = file.number(at + 12, 4), begin = file.number(at + 16, 4);
        if (at >= locator64_size && file.piece(at - locator64_size, 4) == locator64) {
            const std::uint64_t locator = at - locator64_size;
            at = file.number(locator + 8, 8);
            file.require(at, end64);
            if (file.piece(at, end64_size).size() > locator - at) file.damaged();
            disks = file.number(at + 16, 8), here = file.number(at + 24, 8);
            count = file.number(at + 32, 8), size = file.number(at + 40, 8), begin = file.number(at + 48, 8);
        }
        if (disks != 0 || here != count || begin > at || size != at - begin || count > size / central_size)
            file.damaged();
    }
    std::uint64_t count = 0, size = 0, begin = 0;
};

/// Appends a number of so many bytes.
void append(std::string& bytes, std::uint64_t number, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) bytes += static_cast<char>(number >> (8 * i) & 0xff);
}

}  // namespace

std::vector<Member> zip_members(const std::string& path, std::string_view bytes) {
    const Bytes file(path, bytes);
    const Directory directory(file);
    std::vector<Member> members;
    std::set<std::string> names;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> places;
    std::uint64_t at = directory.begin;
    for (std::uint64_t i = 0; i < directory.count; ++i) {
        file.require(at, central);
        const std::uint64_t name_size = file.number(at + 28, 2), extra_size = file.number(at + 30, 2),
                            comment_size = file.number(at + 32, 2), extra = at + central_size + name_size;
        const std::string name(file.piece(at + central_size, name_size));
        const std::string shown = printable(name);
        std::uint64_t size = file.number(at + 24, 4), packed_size = file.number(at + 20, 4),
                      begin = file.number(at + 42, 4);
        for (std::uint64_t field = extra; field + 4 <= extra + extra_size;) {
            const std::uint64_t end = field + 4 + file.number(field + 2, 2);
            if (end > extra + extra_size) file.damaged();
            std::uint64_t next = field + 4;
            if (file.number(field, 2) == 1)  // the numbers that have more digits, in this order
                for (std::uint64_t* number : {&size, &packed_size, &begin}) {
                    if (*number != in_extra) continue;
                    if (next + 8 > end) file.damaged();
                    *number = file.number(next, 8);
                    next += 8;
                }
            field = end;
        }
        const std::uint64_t method = file.number(at + 10, 2);
        if ((file.number(at + 8, 2) & encrypted) != 0) fail(path, fmt::format("'{}' in it is encrypted", shown));
        if (method != stored && method != deflated)
            fail(path, fmt::format("'{}' in it is compressed by method {}, and only deflate is read", shown, method));
        if (!is_utf8(name) || name.find('\0') != std::string::npos)
            fail(path, fmt::format("the name '{}' in it is not valid UTF-8", shown));
        if (!names.insert(name).second) fail(path, fmt::format("'{}' stands in it twice", shown));
        file.require(begin, local);
        const std::uint64_t data = begin + local_size + file.number(begin + 26, 2) + file.number(begin + 28, 2);
        if (file.piece(begin + local_size, file.number(begin + 26, 2)) != name) file.damaged();
        if (data > directory.begin || packed_size > directory.begin - data) file.damaged();
        if (method == stored && packed_size != size) file.damaged();
        members.push_back({name, file.piece(data, packed_size), size,
                           static_cast<std::uint32_t>(file.number(at + 16, 4)), method == deflated});
        places.emplace_back(begin, data + packed_size);
        at = extra + extra_size + comment_size;
    }
    if (at != directory.begin + directory.size) file.damaged();
    // None shares bytes with another, so that a file unpacks to no more than its size allows.
    std::ranges::sort(places);
    for (std::size_t i = 1; i < places.size(); ++i)
        if (places[i].first < places[i - 1].second) file.damaged();
    return members;
}

std::string unpacked(const std::string& path, const Member& member) {
    const auto damaged = [&] { fail(path, fmt::format("'{}' in it is damaged", printable(member.name))); };
    struct Stream : z_stream {
        Stream() : z_stream{} {
            if (inflateInit2(this, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
        }
        ~Stream() { inflateEnd(this); }
    } stream;
    constexpr std::uint64_t block = 1 << 20;
    std::string bytes;
    std::uint64_t taken = 0;
    for (int state = Z_OK; state != Z_STREAM_END;) {
        const std::uint64_t done = bytes.size(), room = std::min(block, member.size - done),
                            some = std::min<std::uint64_t>(block, member.packed.size() - taken);
        bytes.resize(done + room + 1);  // one more byte than there should be
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(member.packed.data() + taken));
        stream.avail_in = static_cast<uInt>(some);
        stream.next_out = reinterpret_cast<Bytef*>(bytes.data() + done);
        stream.avail_out = static_cast<uInt>(room + 1);
        state = inflate(&stream, Z_NO_FLUSH);
        if (state == Z_MEM_ERROR) throw std::bad_alloc();
        taken += some - stream.avail_in;
        bytes.resize(done + room + 1 - stream.avail_out);
        if ((state != Z_OK && state != Z_STREAM_END) || bytes.size() > member.size) damaged();
    }
    if (bytes.size() != member.size || taken != member.packed.size()) damaged();
    return bytes;
}

void require_checksum(const std::string& path, const Member& member, std::string_view bytes) {
    const auto sum = crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
    if (sum != member.checksum) fail(path, fmt::format("'{}' in it is damaged", printable(member.name)));
}

void ZipWriter::add(const std::string& name, const std::string& bytes) {
    const std::uint64_t begin = file_.size();
    if (name.size() > 0xffff || begin + bytes.size() + directory_.size() + 2 * name.size() + 1024 > in_extra ||
        ++count_ >= 0xffff)
        fail(path_, "an .npz file has room for 4 GB in 65,534 arrays, and this is more: safetensors takes it");
    const bool ascii = std::ranges::all_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    std::string common;  // of both headers: version 2.0, flags, stored, 1980-01-01 00:00, checksum, sizes
    append(common, 20, 2);
    append(common, ascii ? 0 : named_in_utf8, 2);
    append(common, stored, 2);
    append(common, 0x0021'0000, 4);
    append(common, crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()), 4);
    append(common, bytes.size(), 4);
    append(common, bytes.size(), 4);
    append(common, name.size(), 2);
    append(common, 0, 2);  // no extra field
    file_ += std::string(local) + common + name;
    file_ += bytes;
    directory_ += std::string(central);
    append(directory_, 20, 2);
    directory_ += common;
    append(directory_, 0, 6);            // no comment; disk 0; no attributes
    append(directory_, 0600u << 16, 4);  // a file's mode, as Python gives it
    append(directory_, begin, 4);
    directory_ += name;
}

std::string ZipWriter::finish() && {
    const std::uint64_t begin = file_.size();
    file_ += directory_;
    file_ += end_record;
    append(file_, 0, 4);
    append(file_, count_, 2);
    append(file_, count_, 2);
    append(file_, directory_.size(), 4);
    append(file_, begin, 4);
    append(file_, 0, 2);
    return std::move(file_);
}

}  // namespace nn::files
