#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <derivation/formula/elementary.hpp>
#include <derivation/formula/notations.hpp>
#include <derivation/read/reader.hpp>
#include <derivation/resolve/dependence.hpp>
#include <derivation/resolve/lookup.hpp>
#include <map>
#include <utility>

namespace derivation {

namespace {

constexpr int largest_range = 64;
constexpr std::size_t most_entries = 4000;
constexpr std::size_t most_quantities = 400;
constexpr std::size_t most_axes = 4;

std::vector<std::string> names_of_definitions() {
    std::vector<std::string> names;
    for (const Elementary& one : elementary_functions())
        if (one.defines) names.emplace_back(one.name);
    return names;
}

/// The numbers of a file that are other ones when it is read again.
struct OtherNumbers {
    std::vector<int> sizes_before, sizes;  ///< of each range
    bool has_other_constants = true;

    /// A constant that counts the values of a range goes on doing so.
    double instead_of(double constant) const {
        const auto range = std::ranges::find(sizes_before, constant);
        if (range != sizes_before.end()) return sizes[static_cast<std::size_t>(range - sizes_before.begin())];
        if (!has_other_constants) return constant;
        return constant >= 1 && constant == std::floor(constant) ? constant + 1 : 1.3 * constant;
    }
};

/// new(m[i]) as what the update of m says.
Expression with_new_values(const Line& line, Expression e) {
    if (line.new_values.empty()) return e;
    for (const auto& [name, value] : line.new_values)
        if (same(e, name)) {
            const Span span = e.span;
            e = value;
            e.span = span;
            return e;
        }
    for (Expression& child : e.children) child = with_new_values(line, std::move(child));
    return e;
}

/// t + 1
bool is_one_more(const Expression& e, const Expression& than) {
    if (e.kind != Kind::add || e.children.size() != 2 || !than.indices.empty()) return false;
    const bool plus = e.joints[0] != Joint::minus && e.joints[1] == Joint::plus;
    return plus && ((same(e.children[0], than) && is_number(e.children[1], 1)) ||
                    (is_number(e.children[0], 1) && same(e.children[1], than)));
}

bool is_among(const std::vector<IndexTerm>& letters, const std::string& letter) {
    return std::ranges::find(letters, letter, &IndexTerm::name) != letters.end();
}

/// How often the letter stands in it, outside of sums over it.
std::size_t count_of(const Expression& e, const std::string& letter) {
    if (e.kind == Kind::reduce && is_among(e.letters, letter)) return 0;
    std::size_t count = e.kind == Kind::letter && e.name == letter ? 1 : 0;
    for (const Index& index : e.indices)
        count += static_cast<std::size_t>(std::ranges::count(index.terms, letter, &IndexTerm::name));
    for (const Expression& child : e.children) count += count_of(child, letter);
    return count;
}

/// Refuses the sum over i < j of what has both, where j stands nowhere else in the line: it may be meant for all pairs,
/// or for each j.
void refuse_doubtful_sums(const Expression& e, const std::vector<Expression>& members,
                          const std::vector<IndexTerm>& bound = {}) {
    std::vector<IndexTerm> inside = bound;
    if (e.kind == Kind::reduce) inside.insert(inside.end(), e.letters.begin(), e.letters.end());
    for (const Expression& child : e.children) refuse_doubtful_sums(child, members, inside);
    const Expression* condition = e.kind == Kind::reduce ? e.condition() : nullptr;
    if (condition == nullptr || condition->kind != Kind::iverson || condition->right().kind != Kind::letter) return;
    if (condition->name != "<" && condition->name != ">" && condition->name != "!=") return;
    const std::string& other = condition->right().name;
    if (is_among(inside, other) || count_of(e.body(), other) == 0) return;
    std::size_t count = 0;
    for (const Expression& member : members) count += count_of(member, other);
    if (count > count_of(e, other)) return;
    throw Error(
        condition->span,
        fmt::format("this may be the {0} over all pairs, which is {0}({1}, {2}, [{1} {3} {2}] * ...), or one for each "
                    "{2}, which then stands on the other side, too",
                    e.name, condition->left().name, other, condition->name));
}

/// (20.5) is the number 20.5, where there is one entry.
bool is_one_for_one(const Parser::Numbers& numbers, const std::vector<std::size_t>& shape) {
    return numbers.values.size() == 1 && std::ranges::all_of(shape, [](std::size_t length) { return length == 1; });
}

class Reader {
  public:
    explicit Reader(std::string text, std::size_t losses_end, std::optional<OtherNumbers> other_numbers = {})
        : other_numbers_(std::move(other_numbers)) {
        result_.source = read_source(std::move(text));
        result_.losses_end = losses_end;
    }

    Derivation run() {
        const std::vector<Statement>& statements = result_.source.statements;
        for (next_ = 1; next_ <= statements.size(); ++next_) read(statements[next_ - 1]);
        return std::move(result_);
    }

  private:
    Model& model() { return result_.model; }

    /// The tokens of a statement, whose primed letters are known from here on.
    std::vector<Token> tokens_in(const Statement& statement) {
        std::vector<Token> tokens = tokens_of(result_.source.text, statement.pieces, result_.source.macros);
        for (Letter& letter : primed_letters(model(), tokens)) model().letters.push_back(std::move(letter));
        return tokens;
    }

    void read(const Statement& statement) {
        Statement rest = statement;
        if (statement.keyword == "claim" || statement.keyword == "update") return judged(std::move(rest));
        Parser parser(model(), tokens_in(rest));
        if (rest.pieces.empty())
            throw Error(statement.keyword_span, fmt::format("something is missing after {}", statement.keyword));
        if (statement.keyword == "index") return index(parser);
        if (statement.keyword == "given") return given(parser);
        if (statement.keyword == "constant") return constant(parser);
        if (statement.keyword == "function") return function(parser);
        if (statement.keyword == "let") return let(rest);
        if (statement.keyword == "at") return at(parser);
    }

    /// A claim or an update. One that cannot be read costs this line alone: nothing below depends on it.
    void judged(Statement statement) {
        Line line;
        line.label = label_of(statement);
        line.is_update = statement.keyword == "update";
        line.span = statement.keyword_span;
        if (!statement.pieces.empty()) line.span = join(line.span, statement.pieces.back());
        line.pieces = statement.pieces;
        line.number = result_.source.position(statement.keyword_span.begin).line;
        const std::size_t letters = model().letters.size();
        try {
            if (statement.pieces.empty())
                throw Error(statement.keyword_span, fmt::format("something is missing after {}", statement.keyword));
            Parser parser(model(), without_remarks(model(), tokens_in(statement)));
            if (line.is_update)
                update(parser, line);
            else
                claim(parser, line);
        } catch (const Error& error) {
            model().letters.resize(letters);
            line.members.clear();
            line.printed.reset();
            line.checked = {};
            line.fault_member = 0;
            line.fault = IllFormed(error.span, error.what(), "unreadable");
        }
        result_.lines.push_back(std::move(line));
    }

    /// `(WORD)` and a blank.
    std::string label_of(Statement& statement) const {
        if (statement.pieces.empty()) return {};
        const std::string_view text =
            std::string_view(result_.source.text)
                .substr(statement.pieces[0].begin, statement.pieces[0].end - statement.pieces[0].begin);
        if (!text.starts_with("(")) return {};
        const std::size_t close = text.find(')');
        if (close == std::string_view::npos || close < 2 || close > 20) return {};
        const std::string_view inside = text.substr(1, close - 1);
        const bool word = std::ranges::all_of(inside, [](unsigned char c) {
            return std::isalnum(c) != 0 || c == '.' || c == '\'' || c == '*' || c == '_' || c == '-' || c >= 0x80;
        });
        const bool ends = close + 1 == text.size() || text[close + 1] == ' ' || text[close + 1] == '\t';
        if (!word || !ends) return {};
        Span& piece = statement.pieces[0];
        piece.begin += close + 1;
        while (piece.begin < piece.end &&
               (result_.source.text[piece.begin] == ' ' || result_.source.text[piece.begin] == '\t'))
            ++piece.begin;
        if (piece.begin == piece.end) statement.pieces.erase(statement.pieces.begin());
        return std::string(inside);
    }

    void new_name(const std::string& name, Span span) {
        if (is_builtin(name) && !gives_way(name))
            throw Error(span, fmt::format("{} is a function of the language, and no name", name));
        if (model().is_letter(name)) throw Error(span, fmt::format("{} is a letter, and no name", name));
        for (const std::string_view keyword :
             {"index", "given", "constant", "function", "let", "claim", "update", "at", "new", "on"})
            if (name == keyword) throw Error(span, fmt::format("{} is a keyword, and no name", name));
    }

    void index(Parser& parser) {
        std::vector<Token> letters;
        do {
            Token token = parser.next();
            if (token.kind != TokenKind::word)
                throw Error(token.span, "a letter should stand here, as in: index i, j : hidden = 4");
            while (parser.accept("'")) token.text += '\'';
            new_name(token.text, token.span);
            if (model().has(token.text)) throw Error(token.span, fmt::format("{} is declared already", token.text));
            letters.push_back(token);
        } while (parser.accept(",") || (parser.peek().kind == TokenKind::word && !parser.peek().is_word("from")));
        Range range;
        range.name = letters[0].text;
        if (parser.accept(":")) {
            const Token name = parser.next();
            if (name.kind != TokenKind::word) throw Error(name.span, "the name of a range should stand here");
            range.name = name.text;
        }
        if (parser.accept("=")) {
            const Token size = parser.next();
            if (size.kind != TokenKind::number || size.number != std::floor(size.number) || size.number < 1 ||
                size.number > largest_range)
                throw Error(size.span,
                            fmt::format("the size of a range is a whole number from 1 to {}", largest_range));
            range.size = static_cast<int>(size.number);
        }
        if (parser.accept_word("from")) {
            const Token first = parser.next();
            if (first.kind != TokenKind::number || (first.number != 0 && first.number != 1))
                throw Error(first.span, "a range counts from 0 or from 1");
            range.first = static_cast<int>(first.number);
        }
        parser.expect_end();
        for (std::size_t i = 0; i < letters.size(); ++i)
            for (std::size_t k = 0; k < i; ++k)
                if (letters[i].text == letters[k].text)
                    throw Error(letters[i].span, fmt::format("the letter {} stands here twice", letters[i].text));
        const auto known = std::ranges::find(model().ranges, range.name, &Range::name);
        const auto number = static_cast<int>(known - model().ranges.begin());
        if (known == model().ranges.end()) {
            if (range.size == 0) {
                range.size = 3;
                range.is_open = true;
                while (
                    std::ranges::any_of(model().ranges, [&](const Range& other) { return other.size == range.size; }))
                    ++range.size;
            }
            if (other_numbers_) range.size = other_numbers_->sizes[model().ranges.size()];
            model().ranges.push_back(range);
        } else if (!other_numbers_ && range.size != 0 && range.size != known->size) {
            throw Error(letters[0].span, fmt::format("the range {} has the size {} already", range.name, known->size));
        }
        if (model().ranges.size() > 40) throw Error(letters[0].span, "these are too many ranges");
        for (const Token& letter : letters) model().letters.push_back({letter.text, number});
    }

    /// A new quantity with the letters of its name.
    Quantity declared(const Expression& name, Role role) {
        // A declared name wins over the direction of a line above.
        for (Quantity& other : model().quantities)
            if (other.is_direction && other.name == name.name) other.name += " ";
        new_name(name.name, name.span);
        if (model().is_function(name.name)) throw Error(name.span, fmt::format("{} is a function already", name.name));
        Quantity quantity;
        quantity.name = name.name;
        quantity.role = role;
        quantity.span = name.span;
        for (const Index& index : name.indices) {
            if (!index.is_letter()) throw Error(index.span, "a declaration has letters between the brackets");
            const std::optional<int> letter = model().find_letter(index.terms[0].name);
            if (!letter) throw Error(index.span, fmt::format("the letter {} was never declared", index.terms[0].name));
            if (std::ranges::find(quantity.letters, letter) != quantity.letters.end())
                throw Error(index.span, fmt::format("the letter {} stands here twice: give the range a second letter",
                                                    index.terms[0].name));
            quantity.letters.push_back(*letter);
            quantity.ranges.push_back(model().letter(*letter).range);
        }
        return quantity;
    }

    void add(Quantity quantity) {
        if (quantity.ranges.size() > most_axes) throw Error(quantity.span, "an array has at most four letters");
        if (model().size(quantity) > most_entries)
            throw Error(quantity.span,
                        "this array has too many entries: smaller sizes of the ranges show the same mistakes");
        if (model().quantities.size() >= most_quantities) throw Error(quantity.span, "these are too many names");
        for (const int other : model().quantities_named(quantity.name))
            if (model().quantity(other).ranges == quantity.ranges)
                throw Error(quantity.span, fmt::format("{} is declared already", model().signature(quantity)));
        model().quantities.push_back(std::move(quantity));
    }

    std::vector<double> numbers_for(const Quantity& quantity, const Parser::Numbers& numbers) {
        if (other_numbers_) return {};
        std::vector<std::size_t> shape;
        for (const int range : quantity.ranges) shape.push_back(static_cast<std::size_t>(model().range(range).size));
        if (shape != numbers.shape && !is_one_for_one(numbers, shape))
            throw Error(numbers.span, fmt::format("{} has the shape ({}), these numbers ({})", quantity.name,
                                                  fmt::join(shape, ", "), fmt::join(numbers.shape, ", ")));
        return numbers.values;
    }

    void given(Parser& parser) {
        static constexpr std::array<std::pair<std::string_view, Domain>, 8> domains = {
            std::pair{"real", Domain::real},  {"positive", Domain::positive},
            {"nonzero", Domain::nonzero},     {"unit", Domain::unit},
            {"onehot", Domain::onehot},       {"probabilities", Domain::probabilities},
            {"symmetric", Domain::symmetric}, {"invertible", Domain::invertible}};
        do {
            Quantity quantity = declared(parser.name(true), Role::given);
            const Span span = parser.peek().span;
            for (const auto& [word, domain] : domains)
                if (parser.accept_word(word)) quantity.domain = domain;
            // Of a symmetric matrix more may be said: that it is invertible, which nearly every one is.
            if (quantity.domain == Domain::symmetric) {
                parser.accept_word("invertible");
                if (parser.accept_word("positive")) quantity.domain = Domain::positive;
            }
            if (quantity.domain == Domain::invertible && parser.accept_word("symmetric"))
                quantity.domain = Domain::symmetric;
            if (quantity.domain == Domain::positive && parser.accept_word("definite"))
                quantity.domain = Domain::positive_definite;
            const bool over_letter = quantity.domain == Domain::onehot || quantity.domain == Domain::probabilities;
            if (over_letter && quantity.ranges.empty())
                throw Error(span, fmt::format("{} needs a letter to be {} over", quantity.name,
                                              quantity.domain == Domain::onehot ? "onehot" : "probabilities"));
            const bool is_square = quantity.ranges.size() > 1 && quantity.ranges[quantity.ranges.size() - 1] ==
                                                                     quantity.ranges[quantity.ranges.size() - 2];
            for (const auto& [domain, words] :
                 {std::pair{Domain::symmetric, "symmetric"}, std::pair{Domain::positive_definite, "positive definite"},
                  std::pair{Domain::invertible, "invertible"}})
                if (quantity.domain == domain && !is_square)
                    throw Error(span, fmt::format("{} needs two letters of one range at the end", words));
            if (parser.accept("=")) quantity.values = numbers_for(quantity, parser.numbers());
            add(std::move(quantity));
        } while (parser.accept(","));
        if (parser.peek().kind == TokenKind::word)
            parser.fail(fmt::format(
                "{} is no domain: there are real, positive, nonzero, unit, onehot, probabilities, symmetric, positive "
                "definite and invertible",
                parser.peek().text));
        parser.expect_end();
    }

    double constant_value(const Expression& e) {
        const auto value = [&](const Expression& child) { return constant_value(child); };
        switch (e.kind) {
            case Kind::number:
                return e.number;
            case Kind::add: {
                double total = 0;
                for (std::size_t i = 0; i < e.children.size(); ++i)
                    total += (e.joints[i] == Joint::minus ? -1 : 1) * value(e.children[i]);
                return total;
            }
            case Kind::product: {
                double total = 1;
                for (std::size_t i = 0; i < e.children.size(); ++i)
                    total = e.joints[i] == Joint::divided ? total / value(e.children[i]) : total * value(e.children[i]);
                return total;
            }
            case Kind::power:
                return std::pow(value(e.base()), value(e.exponent()));
            case Kind::entry:
                if (const Quantity& quantity = model().quantity(e);
                    quantity.role == Role::constant && quantity.values.size() == 1)
                    return quantity.values[0];
                [[fallthrough]];
            default:
                throw Error(
                    e.span,
                    "a constant is a number: made of numbers, sizes such as size(k), and constants with a number");
        }
    }

    void constant(Parser& parser) {
        do {
            Quantity quantity = declared(parser.name(true), Role::constant);
            if (!quantity.ranges.empty()) throw Error(quantity.span, "a constant has no letters: declare a given");
            quantity.domain = Domain::positive;
            if (parser.accept("=")) {
                const Expression e = parser.expression();
                double value = constant_value(check_definition(model(), e, {}, false).body);
                const bool is_typed =
                    !any_part(e, [](const Expression& x) { return x.kind == Kind::entry || x.kind == Kind::letter; });
                if (other_numbers_ && is_typed) value = other_numbers_->instead_of(value);
                if (!std::isfinite(value)) throw Error(e.span, "this is not a finite number");
                quantity.values = {value};
            }
            add(std::move(quantity));
        } while (parser.accept(","));
        parser.expect_end();
    }

    void function(Parser& parser) {
        do {
            const Token name = parser.next();
            if (name.kind != TokenKind::word) throw Error(name.span, "the name of a function should stand here");
            new_name(name.text, name.span);
            if (model().has(name.text)) throw Error(name.span, fmt::format("{} is declared already", name.text));
            Function function{name.text, {}};
            if (parser.accept("=")) {
                const Token definition = parser.next();
                const Elementary* elementary = find_elementary(definition.text);
                if (elementary == nullptr || !elementary->defines)
                    throw Error(definition.span, fmt::format("a function is {}, or any smooth one where nothing "
                                                             "stands here",
                                                             listed(names_of_definitions(), " or ")));
                function.definition = elementary->name;
            }
            if (model().functions.size() > 40) throw Error(name.span, "these are too many functions");
            model().functions.push_back(function);
        } while (parser.accept(","));
        parser.expect_end();
    }

    /// Definitions of arrays may use each other, as a[t] and h[t] = f(a[t]) of a recurrent network do: one that
    /// stands below is declared here.
    void let(const Statement& statement) {
        while (true) {
            const std::size_t quantities = model().quantities.size(), letters = model().letters.size();
            try {
                Parser parser(model(), tokens_in(statement));
                return definition(parser);
            } catch (const IllFormed& error) {
                model().quantities.resize(quantities);
                model().letters.resize(letters);
                if (error.undeclared.empty() || !declare_ahead(error)) throw;
            }
        }
    }

    /// Declares the array that a let below defines. Anything else that stands below must be moved up.
    bool declare_ahead(const IllFormed& error) {
        for (std::size_t i = next_; i < result_.source.statements.size(); ++i) {
            const Statement& statement = result_.source.statements[i];
            const bool is_let = statement.keyword == "let";
            if (!is_let && statement.keyword != "given" && statement.keyword != "constant") continue;
            Expression name;
            try {
                name =
                    Parser(model(), tokens_of(result_.source.text, statement.pieces, result_.source.macros)).name(true);
            } catch (const Error&) {
                continue;  // said when it is that statement's turn
            }
            if (name.name != error.undeclared) continue;
            if (!is_let || name.indices.empty())
                throw Error(error.span,
                            fmt::format("{} is declared only below, in line {}: its line belongs above this one",
                                        name.name, result_.source.position(statement.keyword_span.begin).line));
            ahead_.push_back(static_cast<int>(model().quantities.size()));
            add(declared(name, Role::definition));
            return true;
        }
        return false;
    }

    /// The place of a definition that was declared ahead, or of a new one.
    int place_for(const Quantity& quantity) {
        for (const int q : model().quantities_named(quantity.name))
            if (model().quantity(q).ranges == quantity.ranges && std::ranges::find(ahead_, q) != ahead_.end()) return q;
        add(quantity);
        return model().count() - 1;
    }

    void definition(Parser& parser) {
        const Expression name = parser.name(true);
        Quantity quantity = declared(name, Role::definition);
        if (!parser.accept(":=")) parser.expect("=", "an = should stand here");
        // With letters, the name is known inside its own definition, so that it may use earlier entries.
        std::optional<int> place;
        if (!quantity.ranges.empty()) place = place_for(quantity);
        const Expression body = parser.expression();
        quantity.written = body;
        parser.expect_end();
        Definition definition = check_definition(model(), body, quantity.letters, true);
        if (!place) {
            quantity.letters = definition.letters;
            quantity.keeps_axis = definition.keeps_axis;
            quantity.is_row = definition.is_row;
            for (const int letter : definition.letters) quantity.ranges.push_back(model().letter(letter).range);
            quantity.definition = std::move(definition.body);
            add(std::move(quantity));
        } else {
            model().quantity(*place).definition = std::move(definition.body);
            model().quantity(*place).written = body;
            std::erase(ahead_, *place);
        }
    }

    void at(Parser& parser) {
        do {
            Expression name = parser.name(false);
            for (Index& index : name.indices)
                for (IndexTerm& term : index.terms) {
                    term.letter = model().find_letter(term.name);
                    if (!term.letter)
                        throw Error(index.span, fmt::format("the letter {} was never declared", term.name));
                }
            Quantity& quantity = model().quantity(find_quantity(model(), name));
            if (quantity.role == Role::definition)
                throw Error(name.span,
                            fmt::format("{} has a definition: numbers are given to what is given", name.name));
            parser.expect("=", "an = should stand here");
            quantity.worked = numbers_for(quantity, parser.numbers());
        } while (parser.accept(","));
        parser.expect_end();
    }

    void claim(Parser& parser, Line& line) {
        if (parser.accept_word("after")) {
            const Token count = parser.next();
            if (count.kind != TokenKind::number || count.number < 1 || count.number > 1000 ||
                count.number != std::floor(count.number))
                throw Error(count.span, "the number of steps is a whole number from 1 to 1000");
            line.steps = static_cast<int>(count.number);
            if (!parser.accept_word("steps") && !parser.accept_word("step"))
                parser.fail("the word steps should stand here");
        }
        while (parser.accept("implies")) {
        }
        parser.refuse_number_of_line();
        if (parser.accept_change()) parser.fail("a step of training is an update: update w := w - alpha * dE/dw");
        const std::vector<std::string> varied = parser.differentials();
        for (const std::string& name : varied) declare_directions(name);
        line.members.push_back(parser.expression());
        if (!varied.empty()) {
            const Span span = line.members[0].span;
            line.members[0] = call_of("differential", 0, std::move(line.members[0]));
            for (const std::string& name : varied) {
                line.members[0].children.push_back(entry_of(name, {}));
                line.members[0].children.back().span = span;
            }
        }
        while (true) {
            if (parser.accept("=") || parser.accept("==") || parser.accept(":=")) {
                line.members.push_back(parser.expression());
            } else if (parser.accept("~")) {
                line.printed = parser.numbers();
                break;
            } else {
                break;
            }
        }
        parser.accept(",");
        parser.accept(".");
        if (line.members.size() < 2 && !line.printed) {
            if (parser.peek().is("<-")) parser.fail("a step of training is an update: update w := w - alpha * dE/dw");
            for (const std::string_view sign : {"<", ">", "<=", ">=", "!="})
                if (parser.peek().is(sign))
                    parser.fail(
                        fmt::format("a claim says that something = something: a comparison is 1 where it holds, [x {} "
                                    "y] = 1",
                                    sign));
            parser.fail("a claim says that something = something");
        }
        if (line.steps > 0 && (!line.printed || line.members.size() != 1))
            throw Error(line.span, "a claim after steps has the form: after 1 step EXPR ~ NUMBER");
        parser.expect_end();
        for (const Expression& member : line.members) refuse_doubtful_sums(member, line.members);
        for (const Expression& member : line.members) find_new_values(member, line);
        check_with_new_values(line);
        if (line.printed && !line.fault && !other_numbers_) check_printed(line);
    }

    /// dX, which a line of differentials has, is any array of X's shape.
    void declare_directions(const std::string& name) {
        if (model().has("d" + name)) return;
        for (const int q : model().quantities_named(name)) {
            Quantity direction;
            direction.name = "d" + name;
            direction.ranges = model().quantity(q).ranges;
            direction.letters = model().quantity(q).letters;
            direction.span = model().quantity(q).span;
            direction.is_direction = true;
            add(std::move(direction));
        }
    }

    void check_printed(Line& line) {
        std::vector<std::size_t> shape;
        for (const int letter : line.checked.free)
            shape.push_back(static_cast<std::size_t>(model().range_of(letter).size));
        if (line.printed->shape != shape && !is_one_for_one(*line.printed, shape) &&
            !(line.printed->values.size() == 1 && line.printed->shape.empty())) {
            line.fault = IllFormed(line.printed->span,
                                   fmt::format("The left side has the shape ({}), these numbers ({}).",
                                               fmt::join(shape, ", "), fmt::join(line.printed->shape, ", ")));
            line.fault->mistake = "shapes";
            line.fault_member = line.members.size();
        }
    }

    /// The new value of a state, new(m[i]), is what the update of it above says.
    void find_new_values(const Expression& e, Line& line) const {
        for (const Expression& child : e.children) find_new_values(child, line);
        if (e.kind != Kind::entry || e.order != 1) return;
        const auto state = std::find_if(states_.rbegin(), states_.rend(), [&](const State& one) {
            return one.written.name == e.name && one.written.indices.size() == e.indices.size();
        });
        if (state == states_.rend()) return;
        Expression next = state->next;
        for (std::size_t i = 0; i < e.indices.size(); ++i) {
            if (!e.indices[i].is_letter() || !state->written.indices[i].is_letter()) return;
            rename_letter(next, state->written.indices[i].terms[0].name, "?" + std::to_string(i));
        }
        for (std::size_t i = 0; i < e.indices.size(); ++i)
            rename_letter(next, "?" + std::to_string(i), e.indices[i].terms[0].name);
        line.new_values.emplace_back(e, std::move(next));
        line.states.push_back(state->symbol);
    }

    /// Every entry as its new value.
    static Expression with_states_renewed(Expression e) {
        if (e.kind == Kind::entry) e.order = 1;
        for (Expression& child : e.children) child = with_states_renewed(std::move(child));
        return e;
    }

    /// p + change, or p - change.
    static Expression after_change(const Expression& parameter, Expression change, bool less) {
        const Span span = change.span;
        const bool negative =
            change.kind == Kind::add && change.children.size() == 1 && change.joints[0] == Joint::minus;
        if (negative) change = Expression(change.children[0]);
        Expression next = sum_of_terms(
            {{parameter, Joint::plus}, {std::move(change), less != negative ? Joint::minus : Joint::plus}});
        next.span = span;
        return next;
    }

    void update(Parser& parser, Line& line) {
        const bool changes = parser.accept_change();  // Δw = -η g
        Expression target = parser.name(false);
        const auto steps = [&](const char* sign) {  // w -= η g
            if (changes || !parser.peek().is(sign) || !parser.peek(1).is("=")) return false;
            parser.next();
            parser.next();
            return true;
        };
        const bool less = steps("-"), more = !less && steps("+");
        if (!less && !more && !parser.accept(":=") && !parser.accept("<-") && !parser.accept("="))
            parser.fail("a := should stand here");
        Expression value = parser.expression();
        if (changes || less || more) value = after_change(target, std::move(value), less);
        line.members = {target, value};
        find_new_values(value, line);
        find_new_values(with_states_renewed(value), line);  // where the old value stands for it
        line.ascends = parser.accept_word("ascent");
        Expression loss;
        if (parser.accept_word("on")) {
            loss = parser.name(false);
            line.loss_name = loss.span;
        }
        parser.expect_end();
        check_with_new_values(line);
        if (line.fault) return;
        const Expression& parameter = line.checked.members[0];
        const auto fault = [&](Span span, const std::string& sentence) {
            line.fault = IllFormed(span, sentence);
            line.fault->mistake = "update";
        };
        if (parameter.kind != Kind::entry || model().quantity(parameter).role != Role::given)
            return fault(target.span,
                         fmt::format("{} is no parameter: only what is given can be updated.", target.name));
        if (loss.kind == Kind::entry) {
            try {
                line.loss = find_quantity(model(), loss);
            } catch (const IllFormed& error) {
                line.fault = error;
                return;
            }
            if (!model().quantity(*line.loss).ranges.empty()) return fault(loss.span, "A loss is a number.");
            line.keeps_state = !depends_on(model(), *line.loss, *parameter.symbol);
        } else {
            line.loss = default_loss(model(), *parameter.symbol, result_.losses_end);
            line.has_usual_loss = line.loss.has_value();
            line.keeps_state = !line.loss && is_one_more(line.checked.members[1], parameter);
            if (!line.loss && !line.keeps_state)
                return fault(target.span,
                             fmt::format("No scalar let above depends on {}: there is no loss. The update of a state "
                                         "names the loss whose gradient it gathers: {} := ... on E.",
                                         target.name, target.name));
        }
        if (line.keeps_state) {
            line.counts_steps = is_one_more(line.checked.members[1], parameter);
            states_.push_back({*parameter.symbol, line.members[0], with_new_values(line, value)});
            return;
        }
        // The old value of a state, as where its new one is written out.
        for (const State& state : states_)
            if (mentions(line.checked.members[1], state.symbol) &&
                std::ranges::find(line.states, state.symbol) == line.states.end())
                line.states.push_back(state.symbol);
        note_step(line);
    }

    /// What new(NAME) means from here on. A rate that was forgotten is the usual one.
    void note_step(Line& line) {
        Quantity& parameter = model().quantity(*line.checked.members[0].symbol);
        const std::optional<StepAbove> usual = usual_step(model(), *line.checked.members[0].symbol);
        StepAbove step{line.number, *line.loss, {}, line.ascends, !line.states.empty()};
        const std::vector<int> possible = possible_rates(model(), *line.loss);
        for (const int rate : possible)
            if (depends_on(model(), line.checked.members[1], rate)) step.rates.push_back(rate);
        const double number = first_number(line.members[1]);
        if (step.rates.empty() && (number == 0 || number == 1))
            step.rates = parameter.step ? parameter.step->rates : possible;
        const auto taken = taken_by_default_.find(*line.checked.members[0].symbol);
        if (taken != taken_by_default_.end() && !(usual && usual->is_same_as(step))) {
            line.fault =
                IllFormed(line.members[0].span,
                          fmt::format("Line {} takes new({}) for another step than this: put this update above it.",
                                      taken->second, parameter.name));
            line.fault->mistake = "update";
        }
        if (parameter.step && !parameter.step->is_same_as(step)) step.differs_from = parameter.step->line;
        parameter.step = step;
    }

    void check_with_new_values(Line& line) {
        std::vector<Expression> members;
        for (const Expression& member : line.members) members.push_back(with_new_values(line, member));
        check(line, members);
        for (int q = 0; q < model().count(); ++q)
            if (model().quantity(q).takes_usual_step) taken_by_default_.try_emplace(q, line.number);
    }

    void check(Line& line, const std::vector<Expression>& members) {
        try {
            line.checked = check_line(model(), members, line.fault_member);
        } catch (const IllFormed& error) {
            line.fault = error;
        } catch (const TooLarge& error) {
            line.fault = IllFormed(error.span, error.what());
            line.too_large = error.what();
        }
    }

    /// A given that an update makes a state, as it was typed.
    struct State {
        int symbol;
        Expression written, next;
    };

    std::vector<State> states_;
    std::map<int, std::size_t> taken_by_default_;  ///< what new(NAME) is taken of without an update above, and the line
    std::optional<OtherNumbers> other_numbers_;
    Derivation result_;
    std::size_t next_ = 0;    ///< the statement after the one that is read
    std::vector<int> ahead_;  ///< arrays that were declared ahead of their definitions
};

/// Marks the ranges of which single entries are named.
void mark_counted(const Model& model, const Expression& e, std::vector<bool>& counted) {
    if (e.kind == Kind::entry && e.symbol)
        for (std::size_t axis = 0; axis < e.indices.size(); ++axis)
            if (e.indices[axis].is_number()) counted[static_cast<std::size_t>(model.quantity(e).ranges[axis])] = true;
    for (const Expression& child : e.children) mark_counted(model, child, counted);
}

/// Marks the ranges over which a sum stands beside their size, as a number.
void mark_divided_sums(const Model& model, const Expression& e, std::vector<bool>& counted) {
    if (e.kind == Kind::product) {
        std::vector<double> numbers;
        std::vector<int> summed;
        const auto gather = [&](auto& self, const Expression& factor) -> void {
            if (factor.kind == Kind::number && !factor.name.empty()) numbers.push_back(factor.number);
            if (factor.kind == Kind::reduce)
                for (const IndexTerm& letter : factor.letters) summed.push_back(model.letter(*letter.letter).range);
            if (factor.kind == Kind::product)
                for (const Expression& inner : factor.children) self(self, inner);
        };
        gather(gather, e);
        for (const int range : summed)
            if (std::ranges::find(numbers, model.range(range).size) != numbers.end())
                counted[static_cast<std::size_t>(range)] = true;
    }
    for (const Expression& child : e.children) mark_divided_sums(model, child, counted);
}

}  // namespace

Derivation read_derivation(std::string text, std::size_t losses_end) {
    return Reader(std::move(text), losses_end).run();
}

std::vector<int> other_sizes(const Derivation& known, const Line& line) {
    const Model& model = known.model;
    std::vector<bool> counted(model.ranges.size());
    for (const Quantity& quantity : model.quantities) {
        mark_counted(model, quantity.definition, counted);
        mark_divided_sums(model, quantity.definition, counted);
    }
    for (const Expression& member : line.checked.members) mark_counted(model, member, counted);
    std::vector<int> sizes;
    for (std::size_t r = 0; r < counted.size(); ++r) {
        const int before = model.ranges[r].size;
        int size = counted[r] ? before : 3;
        while (!counted[r] && (size == before || std::ranges::find(sizes, size) != sizes.end())) ++size;
        sizes.push_back(size);
    }
    return sizes;
}

std::vector<int> open_sizes(const Derivation& known, const Line& line) {
    const Model& model = known.model;
    std::vector<int> sizes = other_sizes(known, line);
    for (std::size_t r = 0; r < sizes.size(); ++r) {
        const bool is_said = std::ranges::any_of(model.quantities, [&](const Quantity& q) {
            const bool has_it = std::ranges::find(q.ranges, static_cast<int>(r)) != q.ranges.end();
            return !q.values.empty() && (has_it || (q.ranges.empty() && q.values[0] == model.ranges[r].size));
        });
        if (!model.ranges[r].is_open || is_said) sizes[r] = model.ranges[r].size;
    }
    return sizes;
}

Derivation read_with_other_numbers(const Derivation& known, std::vector<int> sizes, bool has_other_constants) {
    OtherNumbers numbers{{}, std::move(sizes), has_other_constants};
    for (const Range& range : known.model.ranges) numbers.sizes_before.push_back(range.size);
    return Reader(known.source.text, known.losses_end, std::move(numbers)).run();
}

bool is_latex(const Source& source, const Line& line, std::size_t member) {
    const Span span = join(line.members[0].span, line.members[member].span);
    return source.text.substr(span.begin, span.end - span.begin).find('\\') != std::string::npos;
}

namespace {

/// Whether a name of an array stands in it, outside of a norm.
bool is_array_of(const Model& model, const Expression& e) {
    if (e.kind == Kind::norm) return false;
    if (e.kind != Kind::entry)
        return std::ranges::any_of(e.children, [&](const Expression& child) { return is_array_of(model, child); });
    return !e.indices.empty() || std::ranges::any_of(model.quantities_named(e.name),
                                                     [&](int q) { return !model.quantity(q).ranges.empty(); });
}

void write_signs(const Model& model, Expression& e) {
    for (Expression& child : e.children) write_signs(model, child);
    if (e.kind != Kind::product) return;
    const auto is_scalar = [&](const Expression& factor) { return !is_array_of(model, factor); };
    for (std::size_t i = 1; i < e.children.size(); ++i)
        if (e.joints[i] == Joint::times && !is_scalar(e.children[i]) &&
            !std::all_of(e.children.begin(), e.children.begin() + static_cast<std::ptrdiff_t>(i), is_scalar))
            e.joints[i] = Joint::elementwise;
}

}  // namespace

Expression checked_member(Model& model, const Line& line, Expression member) {
    return check_member(model, line.checked, with_new_values(line, std::move(member)));
}

Expression with_signs(const Model& model, const Line& line, const Expression& member) {
    Expression result = member;
    if (std::ranges::any_of(line.members, [&](const Expression& one) { return is_of_arrays(model, one); }))
        write_signs(model, result);
    return result;
}

}  // namespace derivation
