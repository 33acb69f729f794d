#include <fmt/format.h>

#include <derivation/truth/formula_key.hpp>

namespace derivation {

void write_key(const Expression& e, const Letters& letters, std::string& key) {
    key += static_cast<char>('a' + static_cast<int>(e.kind));
    if (e.kind == Kind::number) {
        key += fmt::format("{}", e.number);
    } else if (e.kind == Kind::entry) {
        key += fmt::format("{}", *e.symbol);
    } else {
        key += e.name;
    }
    key += static_cast<char>('0' + e.order);
    if (e.local) key += 'L';
    const auto write_letter = [&](const IndexTerm& term) {
        key += fmt::format("{}{}.{},", term.sign, value_of(letters, *term.letter), *term.letter);
    };
    for (const Index& index : e.indices) {
        key += '[';
        for (const IndexTerm& term : index.terms)
            key += fmt::format("{}*{},", term.sign, value_of(letters, *term.letter));
        key += fmt::format("{}]", index.offset);
    }
    if (e.kind == Kind::reduce || e.kind == Kind::of_matrix)
        for (const IndexTerm& term : e.letters) key += fmt::format("{},", *term.letter);
    else
        for (const IndexTerm& term : e.letters) write_letter(term);
    for (const Joint joint : e.joints) key += static_cast<char>(joint);
    key += '(';
    for (const Expression& child : e.children) write_key(child, letters, key);
    key += ')';
}

}  // namespace derivation
