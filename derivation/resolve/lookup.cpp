#include <fmt/format.h>
#include <fmt/ranges.h>

#include <derivation/formula/elementary.hpp>
#include <derivation/formula/notations.hpp>
#include <derivation/resolve/lookup.hpp>

namespace derivation {

namespace {

std::vector<std::string> signatures_of(const Model& model, const std::vector<int>& quantities) {
    std::vector<std::string> signatures;
    for (const int q : quantities) signatures.push_back(model.signature(model.quantity(q)));
    return signatures;
}

/// How well an index fits an axis: a letter of its range better than a number. None: not at all.
std::optional<int> fit_of(const Model& model, const Index& index, int axis_range) {
    const Range& range = model.range(axis_range);
    const auto is_of_range = [&](const IndexTerm& term) { return model.letter(*term.letter).range == axis_range; };
    if (index.is_number()) {
        if (index.offset < range.first || index.offset >= range.first + range.size) return {};
        return 1;
    }
    if (std::ranges::any_of(index.terms, is_of_range)) return 2;
    if (index.is_letter()) return {};
    return 0;
}

std::optional<int> fit_of(const Model& model, const Expression& entry, const Quantity& quantity) {
    if (quantity.ranges.size() != entry.indices.size()) return {};
    int total = 0;
    for (std::size_t axis = 0; axis < quantity.ranges.size(); ++axis) {
        const std::optional<int> fit = fit_of(model, entry.indices[axis], quantity.ranges[axis]);
        if (!fit) return {};
        total += *fit;
    }
    return total;
}

/// The array, or the scalar, of a name without indices.
int find_whole(const Model& model, const Expression& entry, const std::vector<int>& named) {
    for (const int q : named)
        if (model.quantity(q).ranges.empty()) return q;
    if (named.size() == 1) return named[0];
    const std::vector<std::string> signatures = signatures_of(model, named);
    throw IllFormed(entry.span,
                    fmt::format("{} has several arrays, {}: letters choose one, as in {}", entry.name,
                                listed(signatures), signatures[0]),
                    "wrong-range");
}

}  // namespace

int find_quantity(const Model& model, const Expression& entry) {
    const std::vector<int> named = model.quantities_named(entry.name);
    if (named.empty()) {
        if (model.is_function(entry.name))
            throw IllFormed(entry.span, fmt::format("{} is a function: it takes something in brackets", entry.name),
                            "undeclared");
        IllFormed error(entry.span, fmt::format("{} was never declared", entry.name), "undeclared");
        error.undeclared = entry.name;
        throw error;
    }
    if (entry.indices.empty()) return find_whole(model, entry, named);
    std::optional<int> best, best_fit;
    bool ambiguous = false;
    for (const int q : named) {
        const std::optional<int> fit = fit_of(model, entry, model.quantity(q));
        if (!fit || (best_fit && *fit < *best_fit)) continue;
        ambiguous = fit == best_fit;
        best = q;
        best_fit = fit;
    }
    if (!best) {
        const std::vector<std::string> signatures = signatures_of(model, named);
        std::vector<std::string> ranges;
        for (const Index& index : entry.indices)
            ranges.push_back(index.is_number() ? fmt::format("{}", index.offset) : model.range_of(index.terms[0]).name);
        throw IllFormed(entry.span,
                        fmt::format("{} has no array over ({}); there {} {}", entry.name, fmt::join(ranges, ", "),
                                    signatures.size() == 1 ? "is" : "are", listed(signatures)),
                        "wrong-range");
    }
    if (ambiguous)
        throw IllFormed(entry.span,
                        fmt::format("{} with these indices may mean several arrays: letters choose one", entry.name),
                        "wrong-range");
    return *best;
}

bool is_of_matrix(const Model& model, const Expression& e) {
    return e.kind == Kind::call && !e.symbol && !matrix_function(e.name).empty() && !model.is_function(e.name);
}

bool is_identity(const Model& model, const Expression& e) {
    return e.kind == Kind::entry && e.name == "I" && e.indices.size() < 2 && !model.has("I");
}

bool is_of_arrays(const Model& model, const Expression& e) {
    if (is_identity(model, e)) return true;
    // Numbers, whatever stands in them.
    if (is_entry_of_array(e)) return false;
    if (is_of_matrix(model, e) && e.name != "solve") return false;
    if (e.kind == Kind::entry && e.indices.empty() && e.name != "1") {
        const std::vector<int> named = model.quantities_named(e.name);
        return !named.empty() && std::ranges::none_of(named, [&](int q) { return model.quantity(q).ranges.empty(); });
    }
    if (e.kind == Kind::entry && e.name == "1" && !e.indices.empty()) return true;
    if (e.kind == Kind::transpose && e.argument().kind == Kind::entry && e.argument().indices.size() >= 2) return true;
    if (e.kind == Kind::call && (has_new_axis(e) || e.name == angle_brackets || e.name.starts_with(einsum)))
        return true;
    if (is_call(e, "inner") && !model.is_function("inner")) return true;
    if (is_call(e, "diag") || is_call(e, "outer")) return true;
    if (std::ranges::any_of(e.joints, [](Joint j) { return j == Joint::matrix || j == Joint::elementwise; }))
        return true;
    // What is held fixed is named without letters, whatever it is.
    const std::size_t held = e.kind == Kind::derivative ? e.held().size() : 0;
    return std::any_of(e.children.begin(), e.children.end() - static_cast<std::ptrdiff_t>(held),
                       [&](const Expression& child) { return is_of_arrays(model, child); });
}

}  // namespace derivation
