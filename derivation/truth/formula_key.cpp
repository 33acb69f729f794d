#include <fmt/format.h>

#include <algorithm>
#include <derivation/truth/formula_key.hpp>
#include <utility>

namespace derivation {

namespace {

class Key {
  public:
    Key(const Model& model, const Letters& letters, std::vector<int> bound, std::string& key)
        : model_(model), letters_(letters), bound_(std::move(bound)), key_(key) {}

    void write(const Expression& e) {
        key_ += static_cast<char>('a' + static_cast<int>(e.kind));
        if (e.kind == Kind::number)
            key_ += fmt::format("{}", e.number);
        else if (e.kind == Kind::entry)
            key_ += fmt::format("{}", *e.symbol);
        else if (e.kind != Kind::letter)
            key_ += e.name;
        key_ += static_cast<char>('0' + e.order);
        if (e.local) key_ += 'L';
        for (const Index& index : e.indices) {
            key_ += '[';
            for (const IndexTerm& term : index.terms) write(term);
            key_ += fmt::format("{}]", index.offset);
        }
        const std::size_t outside = bound_.size();
        const bool binds = e.kind == Kind::reduce || e.kind == Kind::of_matrix;
        for (const IndexTerm& term : e.letters) {
            if (binds) bound_.push_back(*term.letter);
            if (!binds) write(term);
            key_ += fmt::format(".{},", model_.letter(*term.letter).range);
        }
        for (const Joint joint : e.joints) key_ += static_cast<char>(joint);
        key_ += '(';
        for (const Expression& child : e.children) write(child);
        key_ += ')';
        bound_.resize(outside);
    }

  private:
    void write(const IndexTerm& term) {
        const auto found = std::find(bound_.rbegin(), bound_.rend(), *term.letter);
        if (found != bound_.rend())
            key_ += fmt::format("{}*b{},", term.sign, bound_.rend() - found);
        else
            key_ += fmt::format("{}*{},", term.sign, value_of(letters_, *term.letter));
    }

    const Model& model_;
    const Letters& letters_;
    std::vector<int> bound_;
    std::string& key_;
};

}  // namespace

void write_key(const Model& model, const Expression& e, const Letters& letters, std::string& key,
               std::vector<int> bound) {
    Key(model, letters, std::move(bound), key).write(e);
}

}  // namespace derivation
