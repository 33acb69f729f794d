#include <fmt/format.h>
#include <zlib.h>

#include <autograd/error.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nn/files/bytes.hpp>

namespace nn::files {

using autograd::FileError;

std::string read(const std::string& path) {
    std::error_code unknown;
    if (std::filesystem::is_directory(path, unknown))
        throw FileError(fmt::format("{}: this is a folder, not a file", path));
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
    if (file == nullptr) throw FileError(fmt::format("{}: the file cannot be opened", path));
    std::string contents;
    char buffer[1 << 16];
    for (;;) {
        const int n = gzread(file.get(), buffer, sizeof buffer);
        int error = Z_OK;
        gzerror(file.get(), &error);
        if (n < 0 || (error != Z_OK && error != Z_STREAM_END))
            throw FileError(fmt::format("{}: the file is damaged or cut short", path));
        if (n == 0) return contents;
        contents.append(buffer, static_cast<std::size_t>(n));
    }
}

void write(const std::string& path, std::string_view contents) {
    const std::string unfinished = path + ".part";
    std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
    file.write(contents.data(), static_cast<std::streamsize>(contents.size()));
    file.close();
    if (file && std::rename(unfinished.c_str(), path.c_str()) == 0) return;
    std::remove(unfinished.c_str());
    throw FileError(fmt::format("{}: the file cannot be written", path));
}

}  // namespace nn::files
