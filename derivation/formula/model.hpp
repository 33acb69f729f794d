// What a derivation declares: ranges and their letters, quantities, functions. Each is known by its number in its list.
#pragma once

#include <derivation/formula/budget.hpp>
#include <derivation/formula/tree.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace derivation {

struct Range {
    std::string name;
    int size = 0;
    int first = 0;         ///< what its numbers count from
    bool is_open = false;  ///< the file leaves its size out
};

struct Letter {
    std::string name;
    int range = 0;

    /// Whether it was made for the axis of a whole array: nobody can type it.
    bool is_of_array() const { return name[0] == '_'; }
};

/// `sums_to_one` and `negative` are no words of the language: they are tried.
enum class Domain {
    real,
    positive,
    nonzero,
    unit,
    onehot,
    probabilities,
    symmetric,
    positive_definite,
    invertible,
    sums_to_one,
    negative
};
enum class Role { given, constant, definition };

/// The step of a parameter in an update: what new(NAME) means below it.
struct StepAbove {
    std::size_t line = 0;
    int loss = 0;
    std::vector<int> rates;  ///< the constants of the update that may be its rate
    bool ascends = false;
    bool by_states = false;
    std::optional<std::size_t> differs_from = {};  ///< the line of an update above that takes another one

    bool is_same_as(const StepAbove& other) const {
        return loss == other.loss && rates == other.rates && ascends == other.ascends && by_states == other.by_states;
    }
};

struct Quantity {
    std::string name;
    std::vector<int> ranges;
    std::vector<int> letters;  ///< those that it was declared with
    Role role = Role::given;
    Domain domain = Domain::real;
    std::vector<double> values;     ///< where they are the same at every point
    std::vector<double> worked;     ///< the numbers of `at`
    Expression definition;          ///< of a `let`, resolved
    Expression written;             ///< and as it was typed
    bool takes_usual_step = false;  ///< for new(NAME), with no update above
    std::optional<StepAbove> step;  ///< of a parameter that an update above takes one
    bool keeps_axis = false;        ///< of a let: it is NumPy's (n, 1), or where it is_row (1, n)
    bool is_row = false;
    bool is_direction = false;  ///< dX of a line of differentials, which nobody declared
    Span span;
};

struct Function {
    std::string name;
    std::string definition;  ///< the name of an elementary function; empty: any smooth function
};

struct Model {
    std::vector<Range> ranges;
    std::vector<Letter> letters;
    std::vector<Quantity> quantities;
    std::vector<Function> functions;
    std::shared_ptr<Budget> budget = std::make_shared<Budget>();  ///< of the file; copies use the same

    const Range& range(int number) const { return ranges[static_cast<std::size_t>(number)]; }
    const Letter& letter(int number) const { return letters[static_cast<std::size_t>(number)]; }
    const Quantity& quantity(int number) const { return quantities[static_cast<std::size_t>(number)]; }
    Quantity& quantity(int number) { return quantities[static_cast<std::size_t>(number)]; }
    const Function& function(int number) const { return functions[static_cast<std::size_t>(number)]; }
    int count() const { return static_cast<int>(quantities.size()); }

    const Range& range_of(int letter_number) const { return range(letter(letter_number).range); }
    const Range& range_of(const IndexTerm& resolved) const { return range_of(*resolved.letter); }
    /// The quantity of a resolved entry.
    const Quantity& quantity(const Expression& entry) const { return quantity(*entry.symbol); }
    std::size_t size(const Quantity& quantity) const;

    std::optional<int> find_letter(std::string_view name) const;
    std::optional<int> find_function(std::string_view name) const;
    bool is_letter(std::string_view name) const { return find_letter(name).has_value(); }
    bool is_function(std::string_view name) const { return find_function(name).has_value(); }
    bool is_quantity(std::string_view name) const;
    bool is_direction(std::string_view name) const;
    /// Whether the name is a quantity or a function.
    bool has(std::string_view name) const { return is_quantity(name) || is_function(name); }
    std::vector<int> quantities_named(std::string_view name) const;

    /// A new letter for an array that is taken as a whole.
    int fresh_letter(int range);

    /// `w[k,j]`, as it was declared.
    std::string signature(const Quantity& quantity) const;
};

/// Forgets the letters that were added to the model since, at its end.
class FreshLetters {
  public:
    explicit FreshLetters(Model& model) : model_(model), before_(model.letters.size()) {}
    ~FreshLetters() { model_.letters.resize(before_); }
    FreshLetters(const FreshLetters&) = delete;
    FreshLetters& operator=(const FreshLetters&) = delete;

  private:
    Model& model_;
    std::size_t before_;
};

}  // namespace derivation
