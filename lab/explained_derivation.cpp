#include <fmt/format.h>

#include <algorithm>
#include <autograd/operations.hpp>
#include <cmath>
#include <derivation/formula/notations.hpp>
#include <derivation/resolve/dependence.hpp>
#include <derivation/resolve/local_factors.hpp>
#include <derivation/truth/evaluator.hpp>
#include <derivation/truth/random_points.hpp>
#include <lab/explained_derivation.hpp>
#include <lab/explanation.hpp>
#include <numeric>
#include <set>
#include <stdexcept>

namespace lab {

namespace {

using derivation::Derivation;
using derivation::Domain;
using derivation::Expression;
using derivation::Kind;
using derivation::Model;
using derivation::Point;
using derivation::Quantity;
using derivation::Role;

// ---- the point

/// For each function that the file leaves open a certain one: another for each, and none with which alone a line holds.
derivation::Variation certain_functions(const Model& model, const derivation::Report& report) {
    derivation::Variation variation;
    std::set<std::string> taken;
    for (const derivation::Function& function : model.functions) taken.insert(function.definition);
    for (std::size_t i = 0; i < model.functions.size(); ++i) {
        const derivation::Function& function = model.functions[i];
        if (!function.definition.empty()) continue;
        const auto is_condition = [&](const std::string& name) {
            return std::ranges::any_of(report.lines, [&](const derivation::LineReport& line) {
                return line.condition == fmt::format("{} = {}", function.name, name);
            });
        };
        const bool is_sigma = function.name == "sigma" || function.name == "σ";
        std::vector<std::string> candidates = {"tanh", "sigmoid", "softplus", "sin"};
        if (is_sigma) std::swap(candidates[0], candidates[1]);
        const auto chosen = std::ranges::find_if(
            candidates, [&](const std::string& name) { return !taken.contains(name) && !is_condition(name); });
        const std::string name = chosen == candidates.end() ? candidates.back() : *chosen;
        taken.insert(name);
        variation.functions[static_cast<int>(i)] = name;
    }
    return variation;
}

/// Two digits behind the point; rows of probabilities still sum to 1.
void make_short(const Model& model, const Quantity& quantity, std::vector<double>& values) {
    const std::vector<double> drawn = values;
    for (double& x : values) x = std::round(x * 100) / 100;
    if (quantity.domain != Domain::probabilities) return;
    const auto row = static_cast<std::ptrdiff_t>(model.range(quantity.ranges.back()).size);
    for (auto begin = values.begin(); begin != values.end(); begin += row) {
        double& last = *(begin + row - 1);
        last = std::round((1 - std::accumulate(begin, begin + row - 1, 0.0)) * 100) / 100;
        if (last <= 0) std::copy_n(drawn.begin() + (begin - values.begin()), row, begin);
    }
}

// ---- what the backward pass shows

bool has_plain_letters(const Expression& entry) {
    std::set<int> letters;
    return std::ranges::all_of(entry.indices, [&](const derivation::Index& index) {
        return index.is_letter() && letters.insert(*index.terms[0].letter).second;
    });
}

bool is_first_derivative(const Expression& e) {
    return e.kind == Kind::derivative && e.order == 1 && !e.local && e.held().empty() &&
           has_plain_letters(e.denominator());
}

/// Of dL/dz[k], L being what is walked back from, the z[k].
const Expression* derivative_of_result(const Model& model, const Expression& e, const std::optional<int>& result) {
    if (!result || !is_first_derivative(e)) return nullptr;
    const bool is_of_result = (e.numerator().kind == Kind::entry && e.numerator().symbol == result) ||
                              same(e.numerator(), model.quantity(*result).definition);
    return is_of_result ? &e.denominator() : nullptr;
}

/// Where no let is one number, what a claim d(x^T A x)/dx differentiates is made one.
std::optional<int> scalar_of_claims(Derivation& derivation) {
    for (const derivation::Line& line : derivation.lines) {
        if (line.is_update || line.fault || line.checked.members.empty()) continue;
        const Expression& left = line.checked.members[0];
        if (!is_first_derivative(left) || has_derivative(left.numerator()) ||
            !derivation::free_letters(left.numerator()).empty())
            continue;
        Quantity result;
        result.name =
            to_text(line.members[0].kind == Kind::derivative ? line.members[0].numerator() : left.numerator());
        result.role = Role::definition;
        result.definition = left.numerator();
        result.span = line.span;
        derivation.model.quantities.push_back(std::move(result));
        return derivation.model.count() - 1;
    }
    return {};
}

std::vector<int> letters_of(const Expression& entry) {
    std::vector<int> letters;
    for (const derivation::Index& index : entry.indices) letters.push_back(*index.terms[0].letter);
    return letters;
}

class Explanation {
  public:
    Explanation(const std::string& text, const derivation::Report& report, const Given& given)
        : report_(report),
          given_(given),
          derivation_(derivation::read_derivation(text)),
          model_(derivation_.model),
          result_(last_scalar(model_)) {
        if (!result_) result_ = scalar_of_claims(derivation_);
    }

    Explained run() {
        const Setting setting = friendly_setting(model_, report_, given_);
        Point point = setting.point(model_);
        for (const auto& [function, name] : setting.variation.functions)
            notes_.push_back(
                fmt::format("{} may be any smooth function; here it is {}.", model_.function(function).name, name));
        Lowering lowering = lowered(derivation_, point, those_about_the_way_back());
        for (const LoweredLet& let : lowering.lets)
            if (!let.note.empty()) notes_.push_back(let.note);
        Recording recording = record_of(*lowering.tape, walked_back_from(lowering), {title(), {}});
        lowering.nodes.resize(recording.nodes.size());
        for (std::size_t i = 0; i < recording.nodes.size(); ++i) {
            RecordedNode& node = recording.nodes[i];
            const NodeFacts& facts = lowering.nodes[i];
            node.letters = facts.letters;
            node.group = facts.group;
            if (facts.line != 0) node.line = facts.line;
        }
        for (const derivation::Letter& letter : model_.letters)
            if (const int first = model_.range(letter.range).first; first != 0 && !letter.is_of_array())
                recording.first[letter.name] = first;
        recording.claims.emplace();
        for (std::size_t i = 0; i < report_.lines.size() && i < derivation_.lines.size(); ++i)
            recording.claims->push_back(claim(report_.lines[i], derivation_.lines[i], point, lowering));
        recording.source = derivation_.source.text;
        recording.notes = notes_;
        return {std::move(recording), std::move(lowering)};
    }

  private:
    std::string title() const {
        const std::size_t slash = report_.file.rfind('/');
        const std::string name = slash == std::string::npos ? report_.file : report_.file.substr(slash + 1);
        return name == "-" ? "derivation" : name;
    }

    /// The lets that say what the backward pass shows anyway, as delta[k] = dC/dz[k], and others that are made of
    /// derivatives, where the result does not need them.
    std::vector<int> those_about_the_way_back() {
        std::vector<int> all;
        for (int q = 0; q < model_.count() && result_; ++q) {
            const Quantity& quantity = model_.quantity(q);
            if (quantity.role != Role::definition || depends_on(model_, *result_, q) || !has_derivative_behind(q))
                continue;
            all.push_back(q);
            const Expression* by = derivative_of_result(model_, quantity.definition, result_);
            if (by == nullptr) {
                notes_.push_back(fmt::format("{} is made of derivatives, and {} is not made of it: it is left out.",
                                             name_of(model_, q), name_of(model_, *result_)));
                continue;
            }
            // Of a recurrence the arrays of its steps are what it is made of.
            const bool is_recurrent = depends_on(model_, model_.quantity(*by->symbol).definition, *by->symbol);
            notes_.push_back(fmt::format("{} is the adjoint of {}{}: the way back shows it.", name_of(model_, q),
                                         is_recurrent ? "the steps of " : "", name_of(model_, *by->symbol)));
        }
        return all;
    }
    bool has_derivative_behind(int q) const {
        for (int other = 0; other < model_.count(); ++other)
            if (depends_on(model_, q, other) && has_derivative(model_.quantity(other).definition)) return true;
        return false;
    }

    autograd::Variable<double> walked_back_from(Lowering& lowering) {
        const auto node_of = [&](int q) { return *lowering.arrays[static_cast<std::size_t>(q)]; };
        if (result_) return node_of(*result_);
        for (auto let = lowering.lets.rbegin(); let != lowering.lets.rend(); ++let) {
            if (let->manner == Manner::left_out || has_derivative(model_.quantity(let->quantity).definition)) continue;
            const autograd::Variable<double> last = node_of(let->quantity);
            autograd::Indices none = autograd::Indices::from_shape(autograd::Shape{});
            none() = 0;
            const autograd::Variable<double> first = take(reshape(last, {-1}), none);
            const std::string name = model_.quantity(let->quantity).name;
            notes_.push_back(fmt::format("No let is one number: the walk back begins at the first entry of {}.", name));
            return lowering.tape->name(first, "first entry of " + name);
        }
        throw std::runtime_error(
            "[explain] the file has no let, and no claim about the derivative of one number: there is nothing to "
            "record");
    }

    // ---- claims

    Claim claim(const derivation::LineReport& said, const derivation::Line& line, Point& point,
                const Lowering& lowering) {
        Claim result;
        result.line = said.line;
        result.text = said.text;
        result.verdict = derivation::verdict_names[static_cast<std::size_t>(said.verdict)];
        result.reason = said.reason;
        result.repair = said.repair;
        const auto& members = line.checked.members;
        if (line.is_update || line.fault || !line.too_large.empty() || members.empty() || line.steps > 0) return result;
        std::vector<int> letters = line.checked.free;
        if (const Expression* by = node_meant(members[0])) {
            letters = letters_of(*by);
            const auto& node = lowering.arrays[static_cast<std::size_t>(*by->symbol)];
            // Of a recurrence the steps have the adjoints.
            if (node && lowering.steps[static_cast<std::size_t>(*by->symbol)].empty()) result.node = node->index();
        }
        try {
            result.tape = numbers(members[0], letters, point);
            if (result.tape && line.printed) {
                result.value = Numbers{line.printed->shape, line.printed->values, {}};
            } else if (result.tape && members.size() > 1) {
                const bool departs = said.member.value_or(0) > 0;
                const Expression& member = members[departs ? *said.member : members.size() - 1];
                result.value = numbers(member, letters, point);
                const bool holds = said.verdict == derivation::Verdict::holds;
                // A chain rule of local factors holds in its own way.
                std::vector<std::string> held;
                Expression local = member;
                if (holds && !are_equal(*result.value, *result.tape) && make_local(model_, local, held))
                    result.value = numbers(local, letters, point);
                if (holds && !are_equal(*result.value, *result.tape)) result.value.reset();
            }
        } catch (const derivation::OverBudget&) {  // more work than a check may take
            result.value.reset();
        }
        if (!result.value) result.tape.reset();
        for (const int letter : letters) {
            const derivation::Letter& one = model_.letter(letter);
            result.letters.push_back(one.is_of_array() ? "" : one.name);
        }
        return result;
    }

    /// The z[k] of a left side dL/dz[k], or of delta[k] that is defined so.
    const Expression* node_meant(const Expression& left) {
        if (const Expression* by = derivative_of_result(model_, left, result_)) return by;
        if (left.kind != Kind::entry || !left.symbol || !has_plain_letters(left)) return nullptr;
        const Quantity& quantity = model_.quantity(left);
        const Expression* by = derivative_of_result(model_, quantity.definition, result_);
        if (by == nullptr) return nullptr;
        // With the letters of this line.
        renamed_ = *by;
        for (derivation::Index& index : renamed_.indices) {
            const auto axis = std::ranges::find(quantity.letters, *index.terms[0].letter) - quantity.letters.begin();
            index = left.indices[static_cast<std::size_t>(axis)];
        }
        return &renamed_;
    }

    /// The values at all entries, where there are not too many.
    std::optional<Numbers> numbers(const Expression& e, const std::vector<int>& letters, Point& point) {
        derivation::Evaluator evaluator(model_, point);
        Numbers result;
        std::size_t count = 1;
        for (const int letter : letters) {
            result.shape.push_back(static_cast<std::size_t>(model_.range_of(letter).size));
            count *= result.shape.back();
        }
        if (count > most_numbers) return {};
        for_each_entry(model_, letters, evaluator.letters, [&] {
            result.values.push_back(evaluator(e));
            return true;
        });
        return result;
    }

    static bool are_equal(const Numbers& a, const Numbers& b) {
        double largest = 0;
        for (const double x : b.values) largest = std::max(largest, std::abs(x));
        return std::ranges::equal(a.values, b.values, [&](double x, double y) {
            return std::abs(x - y) <= 1e-9 * std::max(largest, 1e-3) || (std::isnan(x) && std::isnan(y));
        });
    }

    const derivation::Report& report_;
    const Given& given_;
    Derivation derivation_;
    Model& model_;
    std::optional<int> result_;
    std::vector<std::string> notes_;
    Expression renamed_;
};

}  // namespace

Setting friendly_setting(const Model& model, const derivation::Report& report, const Given& given) {
    constexpr std::uint64_t most_tries = 40;
    Setting setting;
    setting.variation = certain_functions(model, report);
    for (std::size_t i = 0; i < model.functions.size(); ++i) {
        const auto chosen = setting.variation.functions.find(static_cast<int>(i));
        setting.curves.push_back({derivation::find_elementary(
            chosen == setting.variation.functions.end() ? model.functions[i].definition : chosen->second)});
    }
    std::optional<Setting> kinked;
    for (std::uint64_t attempt = 0; attempt < most_tries; ++attempt) {
        // Logarithms and roots have values where all is positive.
        const bool all_positive = attempt >= most_tries / 4 && attempt % 2 == 1;
        setting.given = worked_numbers(model, report.seed + attempt * 1000003, all_positive);
        for (int q = 0; q < model.count(); ++q) {
            const Quantity& quantity = model.quantity(q);
            std::vector<double>& values = setting.given[static_cast<std::size_t>(q)];
            if (const auto found = given.find(name_of(model, q)); found != given.end()) {
                if (quantity.role == Role::definition || found->second.size() != model.size(quantity))
                    throw std::runtime_error(
                        fmt::format("[explain] {} is not given with so many numbers", found->first));
                values = found->second;
            } else if (quantity.worked.empty() && quantity.values.empty()) {
                make_short(model, quantity, values);
            }
        }
        const Point point = setting.point(model);
        if (!point.is_finite()) continue;
        if (!point.is_kinked()) return setting;
        if (!kinked) kinked = setting;
    }
    if (kinked) return *kinked;
    throw std::runtime_error("[explain] the lets have no finite values at any point that was tried");
}

Recording explained(const std::string& text, const derivation::Report& report, const Given& given) {
    return explained_with_tape(text, report, given).recording;
}

Explained explained_with_tape(const std::string& text, const derivation::Report& report, const Given& given) {
    return Explanation(text, report, given).run();
}

}  // namespace lab
