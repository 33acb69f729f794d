// For the readers and writers of this folder.
#pragma once

#include <string>
#include <string_view>

namespace nn {

/// All of a file, unpacked where it is gzipped. Throws `autograd::FileError` where it is missing, damaged or cut short.
std::string read_file(const std::string& path);

/// Writes the whole file or nothing: to a neighbour first, which then takes its name. Throws `autograd::FileError`.
void write_file(const std::string& path, std::string_view contents);

}  // namespace nn
