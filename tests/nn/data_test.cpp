#define BOOST_TEST_MODULE data
#include <autograd/error.hpp>
#include <boost/test/unit_test.hpp>
#include <nn/batches.hpp>
#include <nn/data.hpp>

#include "check_message.hpp"
#include "temporary_folder.hpp"

namespace {

const Folder folder;

std::string written(const std::string& text) { return folder.write("table.csv", text); }

void refuses(const std::string& text, const std::string& part) {
    BOOST_CHECK_EXCEPTION(nn::read_csv<double>(written(text)), autograd::FileError,
                          [&](const autograd::FileError& error) {
                              BOOST_TEST_MESSAGE(error.what());
                              return std::string(error.what()).find(part) != std::string::npos;
                          });
}

}  // namespace

BOOST_AUTO_TEST_CASE(reads_the_real_files) {
    const auto digits = nn::read_csv<float>(DELTARULE_SOURCE_DIR "/examples/data/digits.csv.gz");
    BOOST_TEST(digits.size() == 1797u);
    BOOST_TEST(digits.features.shape()[1] == 64u);
    BOOST_TEST(digits.classes() == 10u);
    BOOST_TEST(digits.class_names[9] == "9");
    const auto iris = nn::read_csv<double>(DELTARULE_SOURCE_DIR "/examples/data/iris.csv");
    BOOST_TEST(iris.size() == 150u);
    BOOST_TEST(iris.classes() == 3u);
}

BOOST_AUTO_TEST_CASE(label_by_name_numbers_before_words) {
    const auto data = nn::read_csv<double>(written("kind,x,y\nb,1,2\n10,3,4\n9,5,6\nb,7,8e1\r\n"), "kind");
    BOOST_TEST((data.class_names == std::vector<std::string>{"9", "10", "b"}));
    BOOST_TEST(data.labels(0) == 2);
    BOOST_TEST(data.labels(1) == 1);
    BOOST_TEST(data.features(3, 1) == 80);
}

BOOST_AUTO_TEST_CASE(quoted_fields_may_hold_commas) {
    const auto data = nn::read_csv<double>(written("\"x\",\"kind\"\n\"1\",\"a, b\"\n2,\"c\"\n"), "kind");
    BOOST_TEST((data.class_names == std::vector<std::string>{"a, b", "c"}));
    BOOST_TEST(data.features(0, 0) == 1);
    BOOST_TEST(data.features(1, 0) == 2);
}

BOOST_AUTO_TEST_CASE(features_without_a_class) {
    const std::string path = written("x,y,z\n1,2,3\n4,5,6\n");
    BOOST_TEST((nn::read_csv_features<double>(path) == autograd::Array<double>{{1, 2, 3}, {4, 5, 6}}));
    BOOST_TEST((nn::read_csv_features<double>(path, "y") == autograd::Array<double>{{1, 3}, {4, 6}}));
}

BOOST_AUTO_TEST_CASE(the_first_line_is_a_header_if_it_is_one) {
    const auto rows = [](const std::string& text, const std::string& label = {}, nn::Header header = {}) {
        return nn::read_csv<double>(written(text), label, header);
    };
    BOOST_TEST((rows("a,b,c\n1,2,x\n").column_names == std::vector<std::string>{"a", "b"}));
    BOOST_TEST(rows("a,b,c\n1,2,x\n").label_name == "c");
    BOOST_TEST(rows(",a,c\n1,2,x\n").size() == 1u);  // an index has no name
    BOOST_TEST(rows("1,2,x\n3,4,y\n").size() == 2u);
    BOOST_TEST(rows("+1.5,2,x\n3,4,y\n").features(0, 0) == 1.5);
    BOOST_TEST(rows("\xef\xbb\xbf"
                    "5.1,3.5,x\n4.9,3.0,y\n")
                   .features(0, 0) == 5.1);
    BOOST_TEST(rows("\xef\xbb\xbf"
                    "kind,p\nx,1\ny,3\n",
                    "kind")
                   .size() == 2u);
    // Letters whose first byte is that of a mark (a fullwidth number sign), and a mark twice.
    BOOST_TEST(rows("\xef\xbc\x83,c\n1,x\n2,y\n").column_names.at(0) == "\xef\xbc\x83");
    BOOST_TEST(rows("\xef\xbb\xbf\xef\xbb\xbf"
                    "5.1,3.5,x\n4.9,3.0,y\n")
                   .features(0, 0) == 5.1);
    refuses("\xef\xbc,x\n1,y\n", ":1: the first bytes are no text in UTF-8");
    // What would be an error further down is one here too.
    refuses("5.1,,x\n4.9,3.0,y\n", ":1: '' in column 1");
    refuses("?,3,x\n4.9,3.0,y\n", ":1: '?' in column 0");
    refuses("1e400,3,x\n4.9,3.0,y\n", ":1: '1e400' in column 0");
    refuses("NA,nan,x\n4.9,3.0,y\n", ":1: 'NA' in column 0");
    // A line that could be either.
    refuses("5.1,three,x\n4.9,3.0,y\n", ":1: 'three' is a name and '5.1' a number");
    const std::string numbers = "0,1,2,target\n1,2,3,yes\n4,5,6,no\n1,2,4,yes\n";
    refuses(numbers, ":1: the class 'target' stands on this line alone");
    BOOST_TEST((rows(numbers, "target").class_names == std::vector<std::string>{"no", "yes"}));
    BOOST_TEST(rows(numbers, "", nn::Header::yes).size() == 3u);
    BOOST_TEST(rows(numbers, "", nn::Header::no).size() == 4u);
    // A number names a column before it counts one only in a header.
    BOOST_TEST((rows("3,2,1\n5,6,7\n", "1").class_names == std::vector<std::string>{"2", "6"}));
    refuses("a,a,c\n1,2,x\n", ":1: two columns have the name 'a'");
}

// What pandas writes for columns without names.
BOOST_AUTO_TEST_CASE(a_first_line_of_numbers_may_be_a_header) {
    const auto refuses_table = [](const std::string& text, const std::string& part) {
        const std::string path = written(text);
        check_message([&] { nn::read_table(path); }, part);
        check_message([&] { nn::RowStream::of_table(path); }, part);
        BOOST_TEST(nn::read_table(path, {.header = nn::Header::no, .missing = nn::Missing::mean}).size() == 61u);
        BOOST_TEST(nn::read_table(path, {.header = nn::Header::yes}).size() == 60u);
    };
    std::string reals, words, bits, two, other, indexed;
    for (int i = 0; i < 60; ++i) {
        const std::string x = std::to_string(i) + ".5,", y = std::to_string(i * i) + ".25";
        reals += x + x + y + "\n";
        words += x + x + (i % 2 ? "p\n" : "q\n");
        bits += x + x + (i % 2 ? "0\n" : "1\n");
        two += x + y + "\n";
        other += x + x + (i % 2 ? "0\n" : "1\n");
        indexed += std::to_string(i) + "," + x + y + "\n";
    }
    const std::string counts = "counts the columns: say with --header yes or no whether it names them";
    refuses_table("0,1,2\n" + reals, ":1: '0,1,2' " + counts);
    std::ranges::replace(other, ',', ';');
    refuses_table("0;1;2\n" + other, ":1: '0;1;2'");
    refuses_table("0,1,2\n" + words, ":1: '0,1,2' " + counts);
    refuses_table("1,2,3\n" + bits, ":1: '1,2,3' " + counts);
    refuses_table("0,1\n" + two, ":1: '0,1' " + counts);
    refuses_table("4,7,5\n" + bits, ":1: the class '5' stands on this line alone");
    refuses_table("4,7,5\n" + words, ":1: the class '5' stands on this line alone");
    check_message([&] { nn::read_csv_features<double>(written("0,1,2\n" + reals)); }, counts);
    // Years, wavelengths.
    const std::string steps = "counts in equal steps, as years above columns do: say with --header yes or no";
    refuses_table("2018,2019,2020\n" + reals, ":1: '2018,2019,2020' " + steps);
    refuses_table("4000,3998,3996\n" + bits, ":1: '4000,3998,3996' " + steps);
    const std::string gaps = "7,2018,1,2020,2021\n0.5,1,0.5,1,2\n";
    BOOST_TEST(nn::read_table(written(gaps), {.drop = {"0", "2"}}).size() == 2u);
    check_message([&] { nn::read_table(written(gaps + "1,1.5,1,2,3\n"), {.drop = {"0", "2"}}); }, steps);
    for (const char* row : {"2018,2019,2021\n", "5.0,6.0,7.0\n", "3,3,3\n"})
        BOOST_TEST(nn::read_table(written(row + reals)).size() == 61u);
    BOOST_TEST(nn::read_table(written("5,6,7\n1,0,5\n1,1,7\n3,1,5\n")).size() == 4u);
    // With an index, whose name is empty.
    check_message([&] { nn::read_table(written(",0,1\n" + indexed), {.missing = nn::Missing::mean}); }, counts);
    // Two whole numbers below are a row as these are; what comes after them decides.
    check_message([&] { nn::read_csv_features<double>(written("0\n3\n0.5\n")); }, ":1: '0' " + counts);
    check_message([&] { nn::read_csv_features<double>(written("0,1\n3,4\n0.5,1\n")); }, ":1: '0,1' " + counts);
    BOOST_TEST(nn::read_csv_features<double>(written("0,1\n1,0\n1,1\n")).shape()[0] == 3u);
    BOOST_TEST(nn::read_csv_features<double>(written("0\n1\n2\n")).shape()[0] == 3u);
    // Ordinary tables of numbers.
    BOOST_TEST(nn::read_table(written("0,0,0\n0,1,1\n1,0,1\n1,1,0\n")).size() == 4u);
    BOOST_TEST(nn::read_table(written("0.0,1.0,2.0\n0,1,1\n1,0,1\n1,1,2\n")).size() == 4u);
    // The first row for training is not the first line where that has a missing cell.
    BOOST_TEST(nn::read_table(written("?,1,a\n5,1,b\n1,2,a\n1,3,a\n"), {.missing = nn::Missing::drop}).size() == 3u);
}

BOOST_AUTO_TEST_CASE(fields_are_those_of_rfc_4180) {
    const auto classes = [](const std::string& text) { return nn::read_csv<double>(written(text)).class_names; };
    BOOST_TEST((classes("p,c\n1,\"red, dark\"\n1,\"say \"\"hi\"\"\"\r\n2,\"two\nlines\"\n") ==
                std::vector<std::string>{"red, dark", "say \"hi\"", "two\nlines"}));
    BOOST_TEST((classes("p,c\n1,a\t\n1, a \n2,\"a \"\n2,b\n") == std::vector<std::string>{"a", "b"}));
    BOOST_TEST((classes("p,c\n1,1\n1,1.0\n2,1e0\n2,+1\n2,2\n") == std::vector<std::string>{"1", "2"}));
    BOOST_TEST((classes("p,c\n1,1.0\n1,2.0\n") == std::vector<std::string>{"1.0", "2.0"}));
    BOOST_TEST((classes("p,c\n1,9007199254740993\n1,9007199254740992\n1,nan\n").size() == 3));
    BOOST_TEST((classes("p;c\n1;a\n2;b,c\n") == std::vector<std::string>{"a", "b,c"}));
    BOOST_TEST((classes("p\tc\n1\ta\n2\tb;c\n") == std::vector<std::string>{"a", "b;c"}));
    refuses("p;c\n1,5;a\n", ":2: '1,5' in column 0");
    refuses("p,c\n1,\"a\n2,b\n", ":2: a quote is not closed");
    refuses("p,c\n1,\"a\"b\n", ":2: after the quoted 'a'");
    refuses("p,c\r1,a\r2,b\r", ":1: a carriage return stands alone");
    refuses(std::string("\xff\xfep\0,\0", 6), "UTF-16");
    refuses(std::string("p\0,\0c\0", 6), "NUL byte");
    refuses("p,c\n1,\x1b[31m\n", ":2: there is a control character \\x1b");
    refuses("p,c\n1,a\n\n2,b\n", ":3: the line is empty");
    // Two files, one behind the other, whose cells are all words.
    for (const nn::Header header : {nn::Header::yes, nn::Header::no}) {
        const std::string path = written("p,c\nred,x\nblue,y\n\xef\xbb\xbfred,x\nblue,y\n");
        check_message([&] { nn::read_table(path, {.header = header}); },
                      ":4: a byte order mark stands within the table");
    }
    const std::string twice = written("p,c\nred,x\nblue,y\n\"p\",c\nred,x\nblue,y\n");
    check_message([&] { nn::read_table(twice, {.header = nn::Header::yes}); },
                  ":4: the names of the columns stand there again");
    check_message([&] { nn::RowStream::of_table(twice, {.labels = {"c"}}); },
                  ":4: the names of the columns stand there again");
    BOOST_TEST(nn::read_table(twice, {.header = nn::Header::no}).size() == 6u);
    BOOST_TEST(nn::read_table(written("0,1\n0,1\n1,0\n"), {.header = nn::Header::yes}).size() == 2u);
    BOOST_TEST(classes("p,c\n1,a\n2,b\n\n\r\n").size() == 2u);
    for (const std::string text : {"plain", "red, dark", "say \"hi\"", "two\nlines", "a;b", "a\tb"})
        BOOST_TEST(classes("p,c\n1," + nn::csv_field(text) + "\n").front() == text);
    BOOST_TEST(nn::csv_field("") == "\"\"");  // alone in its line it would be none
    // A name that begins with a byte order mark keeps it at the beginning of a file, too.
    const std::string marked =
        "\xef\xbb\xbf"
        "p";
    BOOST_TEST(nn::read_csv<double>(written(nn::csv_field(marked) + ",c\n1,x\n2,y\n")).column_names.front() == marked);
}

// What is a number is decided in one place: for the columns, for the classes, and for what train takes for a measure.
BOOST_AUTO_TEST_CASE(a_field_is_a_number_or_not) {
    BOOST_TEST(nn::csv_number("+0.5").value_or(0) == 0.5);
    BOOST_TEST(nn::csv_number("1e-400").value_or(1) == 0);
    BOOST_TEST(std::isinf(nn::csv_number("-1e400").value_or(0)));
    for (const char* word : {"", "0x1F", "1,5", "+-1", "1 2", "one"})
        BOOST_TEST(!nn::csv_number(word).has_value(), word << " is taken for a number");
}

BOOST_AUTO_TEST_CASE(numbers_near_the_ends_of_the_range) {
    const auto one = [](const std::string& text) {
        return nn::read_csv<double>(written("p,c\n" + text + ",a\n")).features(0, 0);
    };
    BOOST_TEST(one("+0.5") == 0.5);
    for (const char* tiny : {"1e-400", "-1e-400", "123e-400", "0.001e-350", "1e-99999999999999999999", "0e99999"})
        BOOST_TEST(one(tiny) == 0);
    BOOST_TEST(one("5e-324") == 5e-324);
    BOOST_TEST(one("1e308") == 1e308);
    for (const char* no : {"1e400", "-1e400", "0.001e400", "1e99999999999999999999", "++1", "+-1", "0x10", "1_000"})
        refuses("p,c\n" + std::string(no) + ",a\n", ":2: '" + std::string(no) + "' in column 0");
    BOOST_CHECK_THROW(nn::read_csv<float>(written("p,c\n1e39,a\n")), autograd::FileError);
}

BOOST_AUTO_TEST_CASE(columns_are_found_by_name_in_any_order) {
    const std::string path = written("z,note,x,y\n3,so,1,2\n");
    nn::CsvReader reader(path, {{}, nn::Header::detect, {"x", "y", "z"}});
    std::vector<double> row;
    std::string label;
    BOOST_TEST(reader.next(row, label));
    BOOST_TEST((row == std::vector<double>{1, 2, 3}));
    BOOST_TEST(!reader.next(row, label));
    BOOST_CHECK_EXCEPTION(nn::CsvReader(path, {{}, nn::Header::detect, {"x", "q", "r"}}), autograd::FileError,
                          [](const autograd::FileError& error) {
                              return std::string(error.what()).find("no column 'q', 'r'") != std::string::npos;
                          });
}

BOOST_AUTO_TEST_CASE(a_file_without_end_is_refused) {
    BOOST_CHECK_THROW(nn::read_csv<double>("/dev/zero"), autograd::FileError);
}

BOOST_AUTO_TEST_CASE(numbers_with_a_decimal_comma) {
    for (const char* number : {"3,14", "-0,5", "+1,0", "1,5e-3", "1,234"}) BOOST_TEST(nn::has_decimal_comma(number));
    for (const char* other : {"3.14", "3", ",", "3,", "1,2,3", "a,b", "1.234,5", ""})
        BOOST_TEST(!nn::has_decimal_comma(other));
}

BOOST_AUTO_TEST_CASE(bad_files_are_named_with_their_line) {
    BOOST_CHECK_THROW(nn::read_csv<double>("/nonexistent.csv"), autograd::FileError);
    refuses("", "no rows");
    refuses("x,y\n", "no rows");
    refuses("x,y\n1,a\n1,2,a\n", ":3: 3 fields");
    refuses("x,y\n1,a\nfour,b\n", ":3: 'four' in column 0");
    refuses("x,y\nnan,a\n", ":2: 'nan'");
    refuses("1,2\ninf,3\n", ":2: 'inf'");
    refuses("x,y\n1,\n", ":2: the class is missing");
    refuses("x,y\n9007199254740993,a\n",
            ":2: '9007199254740993' in column 0 is an integer of more digits than a double holds");
    refuses("x,y\n1,a\n-123456789012345678901234567890,b\n",
            ":3: '-123456789012345678901234567890' in column 0 is an integer");
    refuses("x;y\n3,14;a\n", ":2: '3,14' in column 0 has a decimal comma: numbers have a decimal point");
    refuses("x,y\n\"-3,14e2\",a\n", ":2: '-3,14e2' in column 0 has a decimal comma");
    refuses("3,14;a\n5;b\n", ":1: '3,14' in column 0 has a decimal comma");  // this line is no header
    refuses("x\n1\n", "only one column");
    BOOST_CHECK_THROW(nn::read_csv<double>(written("x,y\n1,a\n"), "z"), autograd::FileError);
    const std::string bytes = bytes_of(DELTARULE_SOURCE_DIR "/examples/data/digits.csv.gz");
    refuses(bytes.substr(0, bytes.size() / 2), "cut short");
}

BOOST_AUTO_TEST_CASE(there_are_no_more_words_than_rows) {
    std::string text = "name,x,c\n";
    for (int i = 0; i < 1200; ++i) text += "p" + std::to_string(i) + ",1," + (i % 2 == 0 ? "a\n" : "b\n");
    BOOST_CHECK_EXCEPTION(nn::read_table(written(text)), autograd::FileError, [](const autograd::FileError& error) {
        return std::string(error.what()).find("holds 1001 different words in 1001 rows") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(every_mutation_is_read_or_refused) {
    std::mt19937_64 engine(3);
    const std::string valid = "a,b,c\n1,2.5,x\n-3,4e2,y\n5,6,x\n";
    for (int i = 0; i < 2000; ++i) {
        std::string text = valid;
        for (int k = 0; k < 3; ++k) text[engine() % text.size()] = static_cast<char>(engine() % 256);
        text.resize(engine() % (text.size() + 1));
        try {
            nn::read_csv<double>(written(text));
        } catch (const autograd::FileError&) {
        }
    }
}

BOOST_AUTO_TEST_CASE(batches_pass_over_every_row_once_and_again_the_same_with_the_same_seed) {
    nn::Dataset<double> data{autograd::Array<double>(xt::reshape_view(xt::arange<double>(10), {10, 1})),
                             autograd::Indices(xt::arange<std::int64_t>(10)),
                             {}};
    const auto pass = [&](unsigned seed) {
        std::mt19937_64 engine(seed);
        nn::Batches<double> batches(data, 4, engine);
        autograd::Array<double> x;
        autograd::Indices labels;
        std::vector<std::int64_t> seen;
        while (batches.next(x, labels))
            for (std::size_t i = 0; i < labels.size(); ++i) {
                BOOST_TEST(x(i, 0) == static_cast<double>(labels(i)));
                seen.push_back(labels(i));
            }
        return seen;
    };
    auto first = pass(1);
    BOOST_TEST((first == pass(1)));
    BOOST_TEST((first != pass(2)));
    std::sort(first.begin(), first.end());
    BOOST_TEST((first == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

BOOST_AUTO_TEST_CASE(split_and_accuracy) {
    std::mt19937_64 engine(1);
    const auto iris = nn::read_csv<double>(DELTARULE_SOURCE_DIR "/examples/data/iris.csv");
    const auto [training, test] = nn::split(iris, 0.2, engine);
    BOOST_TEST(training.size() == 120u);
    BOOST_TEST(test.size() == 30u);
    BOOST_CHECK_THROW(nn::split(iris, 0.0, engine), std::invalid_argument);
    BOOST_TEST((nn::confusion_matrix(autograd::Array<double>{{0.1, 0.9}, {0.8, 0.2}}, autograd::Indices{1, 1}) ==
                autograd::Indices{{0, 0}, {1, 1}}));
    BOOST_CHECK_THROW(nn::accuracy(autograd::Array<double>{{0.1, 0.9}}, autograd::Indices{2}), std::out_of_range);
    BOOST_CHECK_THROW(nn::accuracy(autograd::Array<double>{{0.1, 0.9}}, autograd::Indices{1, 1}),
                      std::invalid_argument);
    BOOST_TEST(nn::accuracy(autograd::Array<double>{{0.1, 0.9}, {0.8, 0.2}}, autograd::Indices{1, 1}) == 0.5);
}

BOOST_AUTO_TEST_CASE(targets_of_numbers) {
    const std::string path = written("a,b,y\n1,2,0.5\n3,4,-1e3\n5,6,2\n");
    const auto data = nn::read_table(path);
    BOOST_TEST(data.is_regression());
    BOOST_TEST(data.size() == 3u);
    BOOST_TEST((data.targets == autograd::matrix<double>({{0.5}, {-1000}, {2}})));
    const auto two = nn::read_table(path, {.labels = {"y,a"}});
    BOOST_TEST((two.target_names == std::vector<std::string>{"y", "a"}));
    BOOST_TEST((two.targets == autograd::Array<double>{{0.5, 1}, {-1000, 3}, {2, 5}}));
    BOOST_TEST((two.features == autograd::matrix<double>({{2}, {4}, {6}})));
    BOOST_TEST((nn::read_table(path, {.drop = {"0"}}).features == autograd::matrix<double>({{2}, {4}, {6}})));
    BOOST_TEST(nn::read_table(path, {.task = nn::Task::classification}).classes() == 3u);
    const auto comma = written("\"a,b\",y\n1,0.5\n2,1.5\n");  // a name that holds a comma
    BOOST_TEST((nn::read_table(comma, {.labels = {"a,b"}, .task = nn::Task::regression}).targets ==
                autograd::matrix<double>({{1}, {2}})));
    const nn::TableOptions numbers{.task = nn::Task::regression};
    BOOST_CHECK_THROW(nn::read_table(written("a,y\n1,1e999\n2,0.5\n"), numbers), autograd::FileError);
    BOOST_CHECK_THROW(nn::read_table(written("a,y,z\n1,2,\n")), autograd::FileError);

    std::mt19937_64 engine(1);
    nn::Batches<double> batches(data, 2, engine);
    autograd::Array<double> x, y;
    autograd::Indices labels;
    BOOST_CHECK_THROW(batches.next(x, labels), std::invalid_argument);
    std::size_t rows = 0;
    for (; batches.next(x, y); rows += y.shape()[0])
        for (std::size_t i = 0; i < y.shape()[0]; ++i)
            BOOST_TEST(y(i, 0) == (x(i, 0) == 1 ? 0.5 : x(i, 0) == 3 ? -1000 : 2));
    BOOST_TEST(rows == 3u);
    BOOST_TEST(nn::split(data, 0.34, engine).second.targets.shape()[0] == 1u);
    BOOST_CHECK_THROW(nn::stratified_split(data, 0.34, engine), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(how_good_numbers_are) {
    // scikit-learn's r2_score and mean_squared_error
    const autograd::Array<double> targets{{3, 1}, {-0.5, 1}, {2, 1}, {7, 1}}, guesses{{2.5, 1}, {0, 2}, {2, 1}, {8, 1}};
    const auto r2 = nn::r_squared(guesses, targets), error = nn::root_mean_squared_error(guesses, targets);
    BOOST_TEST(std::abs(r2[0] - 0.9486081370449679) < 1e-15);
    BOOST_TEST(std::isnan(r2[1]));
    BOOST_TEST(std::abs(error[0] - 0.6123724356957945) < 1e-15);
    BOOST_TEST(error[1] == 0.5);
    BOOST_CHECK_THROW(nn::r_squared(guesses, autograd::matrix<double>({{3}, {1}})), std::invalid_argument);
    // Block by block; numbers whose squares no double holds; a target whose mean is rounded.
    nn::NumberScores scores;
    scores.add({{2.5, 1}, {0, 2}}, {{3, 1}, {-0.5, 1}});
    scores.add({{2, 1}, {8, 1}}, {{2, 1}, {7, 1}});
    BOOST_TEST(scores.rows() == 4u);
    BOOST_TEST(std::abs(scores.r_squared()[0] - r2[0]) < 1e-15);
    BOOST_TEST(scores.root_mean_squared_error()[0] == error[0]);
    BOOST_TEST(scores.mean_absolute_error()[1] == 0.25);
    BOOST_CHECK_THROW(scores.add(autograd::matrix<double>({{1}}), autograd::matrix<double>({{1}})),
                      std::invalid_argument);
    const autograd::Array<double> far = 1e306 * targets, near = 1e306 * guesses;
    BOOST_TEST(std::abs(nn::r_squared(near, far)[0] - r2[0]) < 1e-12);
    BOOST_TEST(std::abs(nn::root_mean_squared_error(near, far)[0] / 1e306 - error[0]) < 1e-12);
    const auto same = autograd::matrix<double>({{0.1}, {0.1}, {0.1}});
    BOOST_TEST(std::isnan(nn::r_squared(same, same)[0]));
}

BOOST_AUTO_TEST_CASE(strata_and_folds) {
    nn::Dataset<double> data{autograd::Array<double>(xt::reshape_view(xt::arange<double>(100), {100, 1})),
                             autograd::Indices::from_shape({100}),
                             {"rare", "common"}};
    for (std::size_t i = 0; i < 100; ++i) data.labels(i) = i % 10 != 0;
    std::mt19937_64 engine(1);
    const auto rare = [](const nn::Dataset<double>& part) {
        return std::count(part.labels.begin(), part.labels.end(), 0);
    };
    const auto [training, test] = nn::stratified_split(data, 0.2, engine);
    BOOST_TEST(test.size() == 20u);
    BOOST_TEST(rare(test) == 2);
    BOOST_TEST(rare(training) == 8);
    std::vector<std::size_t> all;
    for (const auto& rows : nn::folds(data, 5, engine)) {
        BOOST_TEST(rows.size() == 20u);
        BOOST_TEST(rare(nn::rows_of(data, rows)) == 2);
        all.insert(all.end(), rows.begin(), rows.end());
    }
    std::sort(all.begin(), all.end());
    for (std::size_t i = 0; i < 100; ++i) BOOST_TEST(all[i] == i);
    for (const std::size_t count : {0, 1, 101})
        BOOST_CHECK_THROW(nn::folds(data, count, engine), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(words_and_gaps_in_a_table) {
    const std::string path = written("colour,x,c\nred,1,a\nblue,?,b\n,3,a\nred,4,b\n");
    BOOST_CHECK_THROW(nn::read_table(path), autograd::FileError);
    const auto data = nn::read_table(path, {.missing = nn::Missing::mean});
    BOOST_TEST((data.columns == std::vector<nn::Column>{{"colour", {"blue", "red"}}, {"x", {}}}));
    BOOST_TEST((data.column_names == std::vector<std::string>{"colour=blue", "colour=red", "x"}));
    const double expected[4][3] = {{0, 1, 1}, {1, 0, NAN}, {NAN, NAN, 3}, {0, 1, 4}};
    for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 3; ++j)
            BOOST_TEST((data.features(i, j) == expected[i][j] ||
                        (std::isnan(data.features(i, j)) && std::isnan(expected[i][j]))));
    const auto whole = nn::read_table(path, {.missing = nn::Missing::drop});
    BOOST_TEST(whole.dropped == 2u);
    BOOST_TEST((whole.features == autograd::Array<double>{{1, 1}, {1, 4}}));
}

namespace {

/// All that goes through a data set says what is wrong with it.
void refuses_data(const nn::Dataset<double>& data, const std::string& part) {
    std::mt19937_64 engine(1);
    check_message([&] { nn::rows_of(data, {0}); }, "[rows_of] " + part);
    check_message([&] { nn::split(data, 0.5, engine); }, "[split] " + part);
    check_message([&] { nn::folds(data, 2, engine); }, "[folds] " + part);
    check_message([&] { nn::Batches<double>(data, 2, engine); }, "[batches] " + part);
    check_message([&] { nn::DatasetBatches<double>{data}; }, "[batches] " + part);
    if (!data.is_regression()) check_message([&] { nn::stratified_split(data, 0.5, engine); }, part);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_data_set_whose_parts_do_not_fit_is_refused) {
    using autograd::Array, autograd::Indices, autograd::Shape;
    const Array<double> two(Shape{2, 1}, 1.0), four(Shape{4, 2}, 1.0), scalar(Shape{}, 1.0);
    refuses_data({two, Indices(Shape{5}, 0), {"a", "b"}},
                 "features of shape (2, 1) do not fit labels of shape (5,): a row of each is wanted");
    refuses_data({four, Indices{0, 1}, {"a", "b"}}, "features of shape (4, 2) do not fit labels of shape (2,)");
    refuses_data({four, Indices(Shape{4, 1}, 0), {"a"}}, "features of shape (4, 2) do not fit labels of shape (4, 1)");
    refuses_data({scalar, Indices{0}, {"a"}}, "features of shape () do not fit labels of shape (1,)");
    nn::Dataset<double> numbers{four, {}, {}};
    numbers.target_names = {"y"};
    refuses_data(numbers, "features of shape (4, 2) do not fit targets of shape ()");
    numbers.targets = two;
    refuses_data(numbers, "features of shape (4, 2) do not fit targets of shape (2, 1)");
    numbers.targets = four;
    refuses_data(numbers, "targets of shape (4, 2) are of 1 name");
    refuses_data({four, Indices{0, 1, -1, 0}, {"a", "b"}}, "label -1 of row 2 is not one of 2 classes");
    refuses_data({four, Indices{0, 1, 1, 2}, {"a", "b"}}, "label 2 of row 3 is not one of 2 classes");
    BOOST_CHECK_THROW(nn::rows_of<double>({four, Indices{0, 1}, {}}, {0}), std::invalid_argument);
    // A row that is not there.
    const nn::Dataset<double> good{four, Indices{0, 1, 1, 0}, {"a", "b"}};
    check_message([&] { nn::rows_of(good, {3, 7}); }, "[rows_of] there is no row 7 among 4");
    BOOST_CHECK_THROW(nn::rows_of(good, {4}), std::out_of_range);
    BOOST_TEST(nn::rows_of(good, {}).features.shape()[1] == 2u);
}

// A row is all that stands behind the first axis.
BOOST_AUTO_TEST_CASE(rows_of_any_rank) {
    using autograd::Array, autograd::Shape;
    for (const Shape& shape : {Shape{6}, Shape{6, 2}, Shape{6, 2, 3}, Shape{6, 1, 2, 3}}) {
        nn::Dataset<double> data{Array<double>(shape), autograd::Indices(Shape{6}), {}};
        const std::size_t width = data.features.size() / 6;
        for (std::size_t i = 0; i < data.features.size(); ++i) data.features.data()[i] = static_cast<double>(i);
        for (std::size_t i = 0; i < 6; ++i) data.labels(i) = static_cast<std::int64_t>(i);
        const auto check = [&](const Array<double>& x, const autograd::Indices& labels) {
            BOOST_TEST_REQUIRE(x.dimension() == shape.size());
            BOOST_TEST(x.shape()[0] == labels.size());
            BOOST_TEST_REQUIRE(x.size() == labels.size() * width);
            for (std::size_t i = 0; i < labels.size(); ++i)
                for (std::size_t k = 0; k < width; ++k)
                    BOOST_TEST(x.data()[i * width + k] == static_cast<double>(labels(i)) * double(width) + double(k));
        };
        std::mt19937_64 engine(1);
        const auto some = nn::rows_of(data, {4, 1});
        check(some.features, some.labels);
        const auto [kept, held] = nn::split(data, 0.34, engine);
        check(kept.features, kept.labels);
        check(held.features, held.labels);
        auto paired = data;
        for (std::size_t i = 0; i < 6; ++i) paired.labels(i) %= 2;
        const auto [first, second] = nn::stratified_split(paired, 0.34, engine);
        BOOST_TEST(second.size() == 2u);
        for (std::size_t i = 0; i < 2; ++i)
            BOOST_TEST(std::fmod(second.features.data()[i * width] / double(width), 2) == double(second.labels(i)));
        nn::Batches<double> batches(data, 4, engine);
        Array<double> x;
        autograd::Indices labels;
        while (batches.next(x, labels)) check(x, labels);
        nn::DatasetBatches<double> source(data);
        BOOST_TEST(source.facts().columns == width);
        nn::Batch<double> batch;
        for (source.begin(4, &engine); source.next(batch);) check(batch.x, batch.labels);
    }
}
