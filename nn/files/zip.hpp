// Zip files of members that are stored or deflated, in memory.
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nn::files {

/// A member as it stands in the file.
struct Member {
    std::string name;
    std::string_view packed;
    std::uint64_t size = 0;  // unpacked
    std::uint32_t checksum = 0;
    bool deflated = false;
};

/// Throws `autograd::FileError` where the file is cut short, lies about its members, has one twice, or one that is
/// encrypted or compressed in another way. Nothing is unpacked yet.
std::vector<Member> zip_members(const std::string& path, std::string_view file);

/// The bytes of a deflated member. Throws `autograd::FileError` where they are not those that the file promises.
std::string unpacked(const std::string& path, const Member& member);
/// Throws `autograd::FileError` where a member's bytes are not those that the file promises.
void require_checksum(const std::string& path, const Member& member, std::string_view bytes);

/// A zip file of stored members, the same bytes for the same members. Throws `autograd::FileError` where it would need
/// more than the format's first version has room for: 4 GB, 65,534 members.
class ZipWriter {
  public:
    explicit ZipWriter(const std::string& path) : path_(path) {}
    void add(const std::string& name, const std::string& bytes);
    std::string finish() &&;

  private:
    std::string path_, file_, directory_;
    std::size_t count_ = 0;
};

}  // namespace nn::files
