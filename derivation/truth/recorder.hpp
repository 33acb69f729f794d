// Definitions and formulas are recorded on a tape, entry by entry.
#pragma once

#include <autograd/tape.hpp>
#include <derivation/truth/curve.hpp>
#include <derivation/truth/letters.hpp>
#include <derivation/truth/variation.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace derivation {

/// One recording of all definitions. There are several on a tape, as derivatives hold different quantities fixed: what
/// is held is a constant in it.
class Version {
  public:
    using Variable = autograd::Variable<double>;

    Version(const Model& model, std::vector<int> held);
    bool holds(int quantity) const;
    const std::vector<int>& held() const { return held_; }
    std::size_t size(int quantity) const { return nodes_[static_cast<std::size_t>(quantity)].size(); }
    std::optional<Variable>& node(int quantity, std::size_t place) {
        return nodes_[static_cast<std::size_t>(quantity)][place];
    }

  private:
    std::vector<int> held_;
    std::vector<std::vector<std::optional<Variable>>> nodes_;
};

class Recorder {
  public:
    using Variable = autograd::Variable<double>;

    /// Records every definition at the given values.
    Recorder(const Model& model, const Variation& variation, std::vector<std::vector<double>> given,
             std::vector<Curve> curves);

    ~Recorder() { model_.budget->release(counted_ * bytes_of_a_node); }
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    autograd::Tape<double>& tape() { return tape_; }
    const autograd::Tape<double>& tape() const { return tape_; }
    const Expression& definition(int quantity) const;
    double value(int quantity, std::size_t place) const { return values_[static_cast<std::size_t>(quantity)][place]; }
    /// As large as the terms are that the value was made of (`Rounded`).
    double scale(int quantity, std::size_t place) { return scale_of(*actual_.node(quantity, place)); }
    const Curve& curve(int function) const { return curves_[static_cast<std::size_t>(function)]; }

    bool finite = true;              ///< whether every value is
    bool kinked = false;             ///< whether a kink was hit in a definition, but for those that always stand on one
    bool kinked_in_formula = false;  ///< the same in a formula that is recorded, since this was set to false
    std::set<int> kinks;             ///< the definitions in which one was hit
    std::set<int> ties;              ///< those whose branches are one here: a kink for derivatives by lets alone
    bool cancels = false;            ///< whether so little of a sum is left that half of its digits are rounding
    bool is_extreme = false;         ///< whether a number is so large, or so small, that products may leave their range

    /// The version in which these quantities are constants; where there are none, the point itself.
    Version& holding(std::vector<int> held);
    Version& holding_as(const Expression& derivative);

    Variable entry(Version& version, int quantity, std::size_t place);
    /// A formula where the letters have these values.
    Variable record(Version& version, const Expression& e, Letters& letters);
    Variable record_at(Version& version, const Expression& e, Letters letters) { return record(version, e, letters); }
    /// The derivative of a node by an entry, recorded.
    Variable gradient_by(Version& version, const Variable& y, const Expression& by, const Letters& letters);
    /// The nodes by which a derivative by this entry is taken: under an assumption there is one more, beside its paths.
    std::vector<Variable> nodes_by(Version& version, const Expression& by, const Letters& letters);

  private:
    static constexpr std::size_t bytes_of_a_node = 400, work_of_a_node = 60;

    Variable number(double x) { return tape_.constant(x); }
    Variable given_entry(int quantity, std::size_t place);
    Variable defined_entry(Version& version, int quantity, std::size_t place);
    Variable assumed(const Assumption& assumption, std::size_t place);
    Variable node_by(Version& version, const Expression& by, const Letters& letters);
    Variable gradient_of(const Variable& y, const Variable& x);
    Variable gradient_by_shared_walk(Version& version, const Variable& y, const Expression& by, const Letters& letters);
    Variable sum(Version& version, const Expression& e, Letters& letters);
    Variable product(Version& version, const Expression& e, Letters& letters);
    Variable call(Version& version, const Expression& e, Letters& letters);
    Variable reduce(Version& version, const Expression& e, Letters& letters);
    Variable comparison(Version& version, const Expression& e, Letters& letters);
    Variable of_matrix(Version& version, const Expression& e, Letters& letters);
    void count_nodes();
    double scale_of(const Variable& node);
    Variable without_rounding(const Variable& total, double largest_term);
    bool vanishes(const Variable& x);
    void pass_kink(const Variable& x);
    void pass_kink(double x);

    const Model& model_;
    Variation variation_;
    std::vector<std::vector<double>> given_;
    std::vector<Curve> curves_;
    autograd::Tape<double> tape_;
    Version actual_;               ///< the point itself, where the assumptions hold
    Version without_assumptions_;  ///< the definitions as they are, without the assumptions
    std::map<std::vector<int>, Version> holding_;
    std::vector<std::vector<double>> values_;
    std::vector<double> scales_;                     ///< of the nodes, as far as they were asked for
    std::vector<std::pair<int, std::size_t>> open_;  ///< the entries that are being recorded
    std::size_t counted_ = 0;                        ///< the nodes that the budget has paid for
    std::map<std::tuple<const Version*, std::uint32_t, int>, std::vector<Variable>> gradients_;
    std::map<std::pair<const Version*, std::string>, std::vector<Variable>> matrices_;  ///< what was found of each
};

}  // namespace derivation
