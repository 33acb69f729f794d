// Files as they are written: whole, or not at all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nn::files {

/// Throws `autograd::FileError`, saying why, unless a file can be written to this path now: what stands there, if
/// anything, must be a file, and none of `inputs`. Ask before the work starts.
void require_writable(const std::string& path, const std::vector<std::string>& inputs = {});

/// Whether two paths lead to one place, where a file stands or not yet. Their folders are there.
bool is_same_place(const std::string& one, const std::string& other);

/// Writes a file whole or leaves what was there: to a neighbour of its own, flushed to the disk, which then takes the
/// name. Mode and owner of an existing file are kept, a symbolic link is followed. Throws `autograd::FileError`.
void write(const std::string& path, std::string_view contents);

/// Removes the neighbour that is being written, if any. A signal handler may call it.
void remove_unfinished() noexcept;

}  // namespace nn::files
