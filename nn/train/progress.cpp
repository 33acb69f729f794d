#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <nn/train/progress.hpp>
#include <system_error>

namespace nn::train {

Progress::Progress(std::FILE* file, std::size_t epochs, double done,
                   std::function<std::string(const Measured&)> describe)
    : file_(file),
      terminal_(file != nullptr && isatty(fileno(file)) != 0),
      epochs_(epochs),
      begun_(done),
      describe_(std::move(describe)) {}

void Progress::print(const std::string& text) {
    errno = 0;
    if (std::fputs(text.c_str(), file_) < 0 || std::fflush(file_) != 0 || std::ferror(file_))
        throw std::system_error(errno ? errno : EIO, std::generic_category());
}

void Progress::show(const Epoch& epoch, bool is_whole) {
    if (file_ == nullptr || (!terminal_ && !is_whole)) return;
    const auto now = Clock::now();
    if (terminal_ && !is_whole && now - drawn_ < std::chrono::milliseconds(50)) return;
    drawn_ = now;
    std::string measured = fmt::format("loss {:.4f}, {}", epoch.training.loss, describe_(epoch.training));
    if (epoch.validation)
        measured += fmt::format("; validation loss {:.4f}, {}", epoch.validation->loss, describe_(*epoch.validation));
    if (!terminal_) return print(fmt::format("epoch {}/{}: {}\n", epoch.number, epochs_, measured));
    const double rows = static_cast<double>(epoch.rows), whole = rows * static_cast<double>(epochs_);
    const double done = (static_cast<double>(epoch.number - 1) * rows + static_cast<double>(epoch.seen)) / whole;
    const double seconds = std::chrono::duration<double>(now - start_).count(), made = done - begun_;
    const double left = made > 0 ? seconds * (1 - done) / made : 0, speed = seconds > 0 ? made * whole / seconds : 0;
    const auto filled = static_cast<int>(done * 30);
    print(fmt::format("\r{:#>{}}{:.>{}} epoch {}/{}  {}  {:.0f} examples/s  {}:{:02} left \033[K", "", filled, "",
                      30 - filled, epoch.number, epochs_, measured, speed, static_cast<int>(left) / 60,
                      static_cast<int>(left) % 60));
    is_open_ = true;
}

void Progress::finish() {
    if (is_open_) print("\n");
    is_open_ = false;
}

}  // namespace nn::train
