// The page that steps through a recording, forward and backward.
#pragma once

#include <lab/recording_data.hpp>
#include <string>

namespace lab {

/// One HTML file that needs no other and no network. What names and texts hold stays text.
std::string to_page(const Recording& recording);

/// Writes it, whole or not at all. Throws `autograd::FileError` where the file cannot be written.
void write_page(const Recording& recording, const std::string& path);

/// Records the backward pass from y and writes the page: `lab::write_player(tape, loss, "lesson.html")`. Throws as
/// `record_of` and `write_page` do.
template <class T>
void write_player(autograd::Tape<T>& tape, const autograd::Variable<T>& y, const std::string& path,
                  const RecordOptions& options = {}) {
    write_page(record_of(tape, y, options), path);
}

}  // namespace lab
