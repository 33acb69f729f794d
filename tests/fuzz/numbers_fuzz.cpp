// Numbers and fields of a table, against the C library's reader of numbers.
#include <cmath>
#include <nn/csv.hpp>
#include <nn/files/text.hpp>

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string text = fuzz::text_of(data, size);
    const std::optional<double> value = nn::csv_number(text);
    char* end = nullptr;
    const double expected = std::strtod(text.c_str(), &end);
    const bool whole = size > 0 && static_cast<std::size_t>(end - text.c_str()) == size && data[0] > ' ';
    // (Behind a sign; within the brackets of nan(...) an x is a letter.)
    const std::size_t digits = text.find_first_not_of("+-");
    const bool hexadecimal =
        digits != std::string::npos && text[digits] == '0' && text.find_first_of("xX") == digits + 1;
    fuzz::require(value.has_value() == (whole && !hexadecimal), "a number is what the C library reads, in decimal");
    if (value)
        fuzz::require(*value == expected || (std::isnan(*value) && std::isnan(expected)),
                      "a number has the C library's value");
    const std::string shown = nn::files::printable(text);
    fuzz::require(nn::files::is_plain(shown) && shown.find_first_of("\t\r\n") == std::string::npos,
                  "what is shown is plain");
    return 0;
}
