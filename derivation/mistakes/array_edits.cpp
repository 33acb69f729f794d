// Edits of arrays: what is transposed, and the order and the kind of products.
#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/notations.hpp>
#include <derivation/mistakes/array_formulas.hpp>
#include <derivation/mistakes/edits.hpp>
#include <derivation/mistakes/facts.hpp>
#include <utility>

namespace derivation {

namespace {

using Commit = Editing::Commit;

/// Exchanges the letters of every matrix over one range that is given.
void turn_matrices(const Editing& editing, Expression& e) {
    if (e.kind == Kind::derivative) return;
    if (e.kind == Kind::entry && e.indices.size() == 2 && e.indices[0].is_letter() && e.indices[1].is_letter() &&
        editing.same_range(e.indices[0].terms[0].name, e.indices[1].terms[0].name) &&
        std::ranges::any_of(editing.model.quantities_named(e.name),
                            [&](int q) { return editing.model.quantity(q).role == Role::given; }))
        std::swap(e.indices[0], e.indices[1]);
    for (Expression& child : e.children) turn_matrices(editing, child);
}

/// (c A B)^T as c B^T A^T, where c is a number; of anything else its transpose.
Expression turned_product(const Editing& editing, const Expression& e) {
    if (e.kind != Kind::product) return transpose_of(e);
    const ArrayFormulas formulas(editing, editing.by.value_or(-1));
    Parts numbers, matrices;
    for (Part& part : factors_of(e)) {
        const bool number = !formulas.is_array(part.expression);
        if (!number && !matrices.empty() && !is_of_matrices(part.joint)) return transpose_of(e);
        if (!number && part.joint == Joint::divided) return transpose_of(e);
        (number ? numbers : matrices).push_back(std::move(part));
    }
    if (matrices.size() < 2) return transpose_of(e);
    const Joint joint = matrices.back().joint;
    for (std::size_t i = matrices.size(); i-- > 0;)
        numbers.push_back({turned(matrices[i].expression), i + 1 == matrices.size() ? Joint::juxtaposed : joint});
    return product_of_factors(numbers);
}

/// Two factors of a product of arrays, one behind the other.
class Neighbours {
  public:
    Neighbours(Expression& product, std::size_t first, const Commit& commit)
        : product_(product), first_(first), commit_(commit), saved_(product) {}

    void exchange() {
        std::swap(a(), b());
        commit_(saved_.span, "The factors stand in the wrong order.", "order-of-factors");
        // a b for b a^T, and the like
        turn_each("The factors stand in the wrong order, and one of them transposed.", "order-of-factors");
        if (a().kind == Kind::transpose && b().kind == Kind::transpose) {
            turn_both();
            commit_(saved_.span, "The factors stand in the wrong order, transposed.", "transposed");
        }
        product_ = saved_;
    }

    /// a^T b for a b^T
    void turn() {
        if (a().kind != Kind::transpose && b().kind != Kind::transpose) return;
        turn_both();
        commit_(saved_.span, "The other factor must be transposed.", "transposed");
        product_ = saved_;
    }

    void change_kind() {
        static constexpr const char* of_matrices = "A product of matrices belongs here, not an elementwise one.";
        // These two take a vector on the left for another thing.
        static constexpr const char* row = "A vector on the left is a column here, and a row before an @.";
        static constexpr const char* column = "A vector on the left of an @ is a row: side by side it is a column.";
        const Joint before = product_.joints[first_ + 1];
        for (const Joint joint : {Joint::elementwise, Joint::juxtaposed, Joint::matrix}) {
            if (before == joint) continue;
            if (is_of_matrices(before) && is_of_matrices(joint)) {
                product_.joints[first_ + 1] = joint;
                commit_(saved_.span, joint == Joint::matrix ? row : column, "kind-of-product");
                product_ = saved_;
                continue;
            }
            product_.joints[first_ + 1] = joint;
            const bool elementwise = joint == Joint::elementwise;
            commit_(saved_.span, elementwise ? "The product is elementwise here." : of_matrices, "kind-of-product");
            if (!elementwise) turn_each(of_matrices, "kind-of-product");
            product_ = saved_;
        }
    }

  private:
    Expression& a() { return product_.children[first_]; }
    Expression& b() { return product_.children[first_ + 1]; }

    void turn_both() {
        a() = turned(a());
        b() = turned(b());
    }

    void turn_each(const char* sentence, const char* mistake) {
        for (Expression* one : {&a(), &b()}) {
            const Expression before = *one;
            *one = turned(before);
            commit_(saved_.span, sentence, mistake);
            *one = before;
        }
    }

    Expression& product_;
    const std::size_t first_;
    const Commit& commit_;
    const Expression saved_;
};

}  // namespace

void transposed(Editing& editing) {
    if (!editing.arrays) {
        Expression all_turned = editing.member;
        turn_matrices(editing, all_turned);
        if (!same(all_turned, editing.member))
            editing.offer(all_turned, editing.member.span,
                          "The matrices stand transposed: their letters change places.");
    }
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        const Expression saved = node;
        if (node.kind == Kind::entry && node.indices.size() == 2) {
            std::swap(node.indices[0], node.indices[1]);
            commit(saved.span, fmt::format("{} stands transposed: {} belongs here.", to_text(saved), to_text(node)),
                   {});
        }
        if (!editing.arrays) return;
        if (saved.kind == Kind::transpose) {
            node = saved.argument();
            commit(saved.span, fmt::format("{} stands transposed.", to_text(node)), {});
        }
        if (saved.kind == Kind::entry || saved.kind == Kind::product || saved.kind == Kind::derivative ||
            saved.kind == Kind::call) {
            node = turned_product(editing, saved);
            commit(saved.span, fmt::format("{} must be transposed here.", to_text(saved)), {});
        }
    });
}

/// All matrices that are given, turned: every transpose was forgotten.
void all_transposed(Editing& editing) {
    if (!editing.arrays) return;
    Expression edited = editing.member;
    std::size_t count = 0;
    const auto turn = [&](auto& self, Expression& e) -> void {
        const bool is_matrix = e.kind == Kind::entry &&
                               std::ranges::any_of(editing.model.quantities_named(e.name),
                                                   [&](int q) { return editing.model.quantity(q).ranges.size() == 2; });
        if (is_matrix || (e.kind == Kind::transpose && e.argument().kind == Kind::entry)) {
            ++count;
            e = turned(e);
            return;
        }
        if (e.kind == Kind::call || e.kind == Kind::derivative) return;
        for (Expression& child : e.children) self(self, child);
    };
    turn(turn, edited);
    if (count > 1) editing.offer(std::move(edited), editing.member.span, "The matrices must be transposed here.");
}

/// A + A^T for A.
void missing_symmetric_part(Editing& editing) {
    const auto is_square = [&](const Expression& e) {
        return e.kind == Kind::entry && std::ranges::any_of(editing.model.quantities_named(e.name), [&](int q) {
                   const std::vector<int>& ranges = editing.model.quantity(q).ranges;
                   return ranges.size() == 2 && ranges[0] == ranges[1];
               });
    };
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        const Expression saved = node;
        Expression other = saved;
        if (editing.arrays && (is_square(saved) || (saved.kind == Kind::transpose && is_square(saved.argument())))) {
            other = turned(saved);
        } else if (!editing.arrays && is_square(saved) && saved.indices.size() == 2) {
            std::swap(other.indices[0], other.indices[1]);
        } else {
            return;
        }
        node = sum_of_terms({{saved, Joint::plus}, {other, Joint::plus}});
        commit(saved.span, fmt::format("The transposed part is missing: {} belongs here.", to_text(node)), {});
    });
}

/// What comes through another quantity: its adjoint, through a matrix, or beside a vector.
void missing_path_of_arrays(Editing& editing) {
    if (!editing.arrays || !editing.of || !editing.by || editing.line.is_update) return;
    const Model& model = editing.model;
    std::vector<Expression> matrices, vectors;
    for (int q = 0; q < model.count(); ++q) {
        if (has_derivative(model.quantity(q).definition)) continue;
        const std::size_t axes = model.quantity(q).ranges.size();
        if (axes == 2) matrices.push_back(entry_of(model.quantity(q).name, {}));
        if (axes == 1) vectors.push_back(entry_of(model.quantity(q).name, {}));
    }
    const auto offer = [&](const Expression& path) {
        editing.offer(sum_of_terms({{editing.member, Joint::plus}, {path, Joint::plus}}), editing.member.span,
                      fmt::format("A path is missing: {}.", to_text(path)));
    };
    for (const Expression& adjoint : adjoints(editing, editing.free)) {
        offer(adjoint);
        for (const Expression& matrix : matrices)
            for (const Expression& one : {transpose_of(matrix), matrix})
                offer(product_of_factors({{one, Joint::times}, {adjoint, Joint::juxtaposed}}));
        for (const Expression& vector : vectors) {
            offer(product_of_factors({{adjoint, Joint::times}, {transpose_of(vector), Joint::juxtaposed}}));
            offer(product_of_factors({{adjoint, Joint::times}, {vector, Joint::elementwise}}));
        }
    }
}

/// In lines of arrays: the order of the factors, and the kind of their product.
void order_of_factors(Editing& editing) {
    if (!editing.arrays) return;
    editing.each_node([&](Expression& node, const Names&, const Commit& commit) {
        if (node.kind != Kind::product) return;
        for (std::size_t i = 0; i + 1 < node.children.size(); ++i) {
            if (node.joints[i + 1] == Joint::divided || node.joints[i] == Joint::divided) continue;
            Neighbours neighbours(node, i, commit);
            neighbours.exchange();
            neighbours.turn();
            neighbours.change_kind();
        }
    });
}

}  // namespace derivation
