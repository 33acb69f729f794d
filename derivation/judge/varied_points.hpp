// Points at which something is otherwise than the file says; each set of them is drawn once.
#pragma once

#include <cstdint>
#include <derivation/truth/random_points.hpp>
#include <map>
#include <string>
#include <vector>

namespace derivation {

class VariedPoints {
  public:
    VariedPoints(const Model& model, std::uint64_t seed) : model_(model), seed_(seed) {}

    /// Whether two formulas are equal under the variation, of which `key` is the name. `plain` are the points without
    /// it: the varied ones must show as much.
    bool hold(const Variation& variation, const std::string& key, std::vector<Point>& plain, const Expression& left,
              const Expression& right, const std::vector<int>& free);

    /// Whether a line that holds under the variation does so because of it: at many fresh points, near and far out, it
    /// holds with it, and where it is not made the line differs as a rule. `free` as above.
    bool is_the_condition(const Variation& variation, const std::string& key, const Expression& left,
                          const Expression& right, const std::vector<int>& free);
    /// The same where the variation is made of the left side: `varied_left` is that.
    bool is_the_condition(const Expression& left, const Expression& varied_left, const Expression& right,
                          const std::vector<int>& free);

    /// Points as the file says, near 0 and far out.
    std::vector<Point>& near_and_far(bool many);

  private:
    bool departs_at_edges(const Variation& variation, const std::string& key, const Expression& left,
                          const Expression& right, const std::vector<int>& free);
    bool is_wrong_as_a_rule(const Expression& left, const Expression& right, const std::vector<int>& free);
    std::vector<Point>& scattered(const Variation& variation, const std::string& key);
    std::vector<Point>& points(const Variation& variation, const std::string& key);
    std::vector<Point>& more_points(const std::string& key);
    void forget_where_there_are_many();

    const Model& model_;
    std::uint64_t seed_;
    std::map<std::string, std::vector<Point>> points_;
    std::map<std::string, Variation> variations_;  ///< for more points by the same name
};

}  // namespace derivation
