// Edits of arrays: what is transposed, and the order and the kind of products.
#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/notations.hpp>
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
        for (const Joint joint : {Joint::elementwise, Joint::juxtaposed, Joint::matrix}) {
            if (product_.joints[first_ + 1] == joint) continue;
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
            node = transpose_of(saved);
            commit(saved.span, fmt::format("{} must be transposed here.", to_text(saved)), {});
        }
    });
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
