// What tells some rows from others.
#pragma once

#include <fmt/format.h>
#include <zlib.h>

#include <nn/data.hpp>
#include <string>

namespace nn {

/// CRC-32 of names and numbers.
class Checksum {
  public:
    template <class T>
    void add_names(const Dataset<T>& data) {
        for (const auto* names : {&data.column_names, &data.class_names, &data.target_names})
            for (const std::string& name : *names) add(name.c_str(), name.size() + 1);
    }

    template <class A>
    void add(const A& numbers) {
        add(numbers.data(), numbers.size() * sizeof(*numbers.data()));
    }

    std::uint32_t value() const { return static_cast<std::uint32_t>(sum_); }
    std::string text() const { return fmt::format("{:08x}", sum_); }

  private:
    void add(const void* bytes, std::size_t n) {
        if (n > 0) sum_ = crc32_z(sum_, static_cast<const Bytef*>(bytes), n);  // of no address zlib begins anew
    }
    unsigned long sum_ = crc32(0, nullptr, 0);
};

}  // namespace nn
