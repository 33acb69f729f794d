// Every line against the tape: its verdict, and for a line that does not hold the reason.
#pragma once

#include <derivation/derivation.hpp>
#include <derivation/read/reader.hpp>
#include <derivation/truth/target.hpp>
#include <map>
#include <memory>
#include <vector>

namespace derivation {

class Judge {
  public:
    Judge(Derivation& derivation, std::uint64_t seed);

    LineReport judge(Line& line);

  private:
    /// A line that was found wrong: what its left side was taken for.
    struct Mistaken {
        std::size_t line;
        Expression left, member;
    };

    /// The rate of an update: a constant, or a number where the symbol is -1.
    struct Rate {
        int symbol;
        double number;
    };

    void judge_claim(Line& line, LineReport& report);
    void judge_members(Line& line, LineReport& report);
    void judge_update(Line& line, LineReport& report);
    void judge_printed(Line& line, LineReport& report);
    void ill_formed(Line& line, LineReport& report);
    void depart(Line& line, LineReport& report, Target& target, std::size_t member, const Outcome& outcome);
    bool follows(const Line& line, LineReport& report, const Expression& left, const Expression& right,
                 const std::vector<int>& free);
    bool conditional(const Line& line, LineReport& report, const Expression& left, const Expression& right,
                     const std::vector<int>& free);
    bool holds_under(const Variation& variation, const std::string& key, const Expression& left,
                     const Expression& right, const std::vector<int>& free);
    bool shows_both_sides(const std::vector<Point>& points) const;
    bool holds_locally(Target& target, const Expression& right, LineReport& report);
    Rate rate_of(const Line& line);
    Expression true_step(const Line& line, Rate rate) const;
    Variation assuming(const Mistaken& mistaken) const;
    void write_repair(LineReport& report, const Line& line, std::size_t member, const Expression& repair) const;
    void caret(LineReport& report, const Line& line, Span span) const;
    bool needs_a_number(const Expression& e, std::string& name) const;
    void after_steps(Model& model, int steps);

    Derivation& derivation_;
    std::uint64_t seed_;
    bool letters_noted_ = false;
    std::vector<Point> points_, positive_points_;
    std::vector<Mistaken> mistaken_;
    std::map<std::string, std::vector<Point>> varied_;
    std::map<std::string, std::unique_ptr<Variation>> variations_;
};

}  // namespace derivation
