// The bytes of a file, read and written whole: what every format in nn begins and ends with.
#pragma once

#include <string>
#include <string_view>

namespace nn::files {

/// All of a file, unpacked where it is gzipped. Throws `autograd::FileError` where it is missing, damaged or cut short.
std::string read(const std::string& path);

/// Writes the whole file or nothing: to a neighbour first, which then takes its name. Throws `autograd::FileError`.
void write(const std::string& path, std::string_view contents);

}  // namespace nn::files
