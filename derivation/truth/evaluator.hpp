// The value of a checked formula at a point, as plain numbers.
#pragma once

#include <derivation/truth/point.hpp>
#include <derivation/truth/rounded.hpp>
#include <map>
#include <vector>

namespace derivation {

class Evaluator {
  public:
    Evaluator(const Model& model, Point& point) : letters(first_letters(model)), model_(model), point_(point) {}

    double operator()(const Expression& e) { return at(e).value; }
    Rounded at(const Expression& e);

    Letters letters;
    bool kinked = false;  ///< whether relu, abs, max or a comparison stood at its edge

  private:
    Rounded divisor(const Expression& e);
    Rounded reduce(const Expression& e);
    Rounded call(const Expression& e);
    double comparison(const Expression& e);
    Rounded of_matrix(const Expression& e);

    const Model& model_;
    Point& point_;
    /// What was found of a matrix, for values of the letters that are free in it: the entries of its inverse, or its
    /// determinant. Formulas stay where they are as long as one is evaluated.
    struct OfMatrix {
        std::vector<int> free;
        std::map<std::vector<int>, std::vector<Rounded>> found;
    };
    std::map<const Expression*, OfMatrix> matrices_;
};

}  // namespace derivation
