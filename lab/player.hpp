// The page that steps through a recording, forward and backward.
#pragma once

#include <lab/recording_data.hpp>
#include <string>
#include <vector>

namespace lab {

/// One HTML file that needs no other and no network. What names and texts hold stays text.
std::string to_page(const Recording& recording);

/// Writes it, whole or not at all. Throws `autograd::FileError` where the file cannot be written.
void write_page(const Recording& recording, const std::string& path);

/// The same of the steps of a training, with a slider over them. Throws as `to_json` does.
std::string to_page(const std::vector<Recording>& training);
void write_page(const std::vector<Recording>& training, const std::string& path);

/// Records the backward pass from y and writes the page: `lab::write_player(tape, loss, "lesson.html")`. Throws as
/// `record_of` and `write_page` do.
template <class T>
void write_player(autograd::Tape<T>& tape, const autograd::Variable<T>& y, const std::string& path,
                  const RecordOptions& options = {}) {
    write_page(record_of(tape, y, options), path);
}

/// Writes the page of a training: `steps.push_back(record_of(tape, loss))` at each of its steps, or at each hundredth,
/// then `lab::write_player(steps, "training.html")`.
inline void write_player(const std::vector<Recording>& training, const std::string& path) {
    write_page(training, path);
}

}  // namespace lab
