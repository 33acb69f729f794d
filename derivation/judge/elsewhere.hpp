// A repair is read back as it is printed, and judged again where the file has other numbers.
#pragma once

#include <derivation/judge/descent.hpp>
#include <derivation/read/reader.hpp>
#include <derivation/truth/target.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace derivation {

/// The points at which the lines of a file are judged: their kinks and brackets show both sides.
std::vector<Point> points_for(const Derivation& derivation, std::uint64_t seed, bool all_positive = false);

/// The same file with other sizes of its ranges and other constants.
class Elsewhere {
  public:
    Elsewhere(Derivation& derivation, std::uint64_t seed) : derivation_(derivation), seed_(seed) {}

    /// What a member of this line should be equal to, here or in that file.
    using LeftSide = std::function<Expression(const Model& model, const Line& line)>;

    /// Whether a repair that is printed so is right on both sides of its kinks, and in that file too. Where nothing can
    /// be said there, it is.
    bool confirms(const Line& line, const LeftSide& left, const std::string& repair);

    /// The ranges whose size the file leaves open, where a line that holds does not with other sizes.
    std::vector<int> ranges_of_one_size(const Line& line);

  private:
    /// The file as it is read again; without points where it makes no sense with other numbers.
    struct Other {
        std::optional<Derivation> file;
        std::vector<Point> points, positive_points;
    };
    Other& with_sizes(const std::vector<int>& sizes, bool has_other_constants = true);
    Line& line_in(Other& other, const Line& line) const;
    bool departs_with_sizes(const Line& line, const std::vector<int>& sizes);
    bool holds_there(Other& other, const Line& line, const LeftSide& left, const std::string& repair);

    Derivation& derivation_;
    std::uint64_t seed_;
    std::map<std::pair<std::vector<int>, bool>, Other> others_;
};

/// What is printed, as it is read. Throws `Error`.
Expression read_back(const Model& model, const std::string& text);

/// Whether a member that is typed so is right: as it stands, or with local factors.
bool is_right(Model& model, const Line& line, Target& target, const std::string& text);

}  // namespace derivation
