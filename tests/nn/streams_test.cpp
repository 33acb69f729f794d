// Rows that are read in blocks: they are those that are read whole, and a training on them is the same.
#define BOOST_TEST_MODULE streams
#ifndef BOOST_TEST_DYN_LINK
#define BOOST_TEST_DYN_LINK
#endif
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <autograd/operations.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nn/batches.hpp>
#include <nn/dense.hpp>
#include <nn/fit.hpp>
#include <nn/layers.hpp>
#include <nn/normalization.hpp>
#include <set>

#include "check_message.hpp"
#include "temporary_folder.hpp"

namespace {

using autograd::Array;
using autograd::Parameter;
using autograd::Shape;

/// Row i holds i and its square; classes go round, or the target is 3 i.
nn::Dataset<double> counted(std::size_t rows, bool is_regression = false) {
    nn::Dataset<double> data{Array<double>(Shape{rows, 2}), {}, {}};
    if (is_regression) {
        data.target_names = {"y"};
        data.targets = Array<double>(Shape{rows, 1});
    } else {
        data.class_names = {"a", "b", "c"};
        data.labels = autograd::Indices(Shape{rows});
    }
    for (std::size_t i = 0; i < rows; ++i) {
        const double t = static_cast<double>(i);
        data.features(i, 0) = t;
        data.features(i, 1) = std::sin(t);
        if (is_regression)
            data.targets(i, 0) = 3 * t;
        else
            data.labels(i) = static_cast<std::int64_t>(i % 3);
    }
    return data;
}

/// Blocks of rows, some of them empty.
nn::StreamedBatches<double> streamed(const nn::Dataset<double>& data, std::size_t buffer, std::size_t more = 0) {
    nn::RowFacts facts = nn::DatasetBatches(data).facts();
    facts.rows += more;
    const auto open = [&data]() -> nn::ReadRows<double> {
        const auto all = std::make_shared<nn::DatasetBatches<double>>(data);
        all->begin(7, nullptr);
        return [all, call = 0](nn::Batch<double>& rows) mutable {
            if (++call % 3 != 0) return all->next(rows);
            rows.x.resize({0, 2});
            return true;
        };
    };
    return {facts, nn::DatasetBatches(data).checksum(), open, buffer};
}

/// The first number of each row of a pass, in batches of 5.
std::vector<double> order(nn::BatchSource<double>& source, std::mt19937_64* engine) {
    std::vector<double> rows;
    nn::Batch<double> batch;
    source.begin(5, engine);
    while (source.next(batch)) {
        BOOST_TEST(batch.x.shape()[0] == std::min<std::size_t>(5, source.facts().rows - rows.size()));
        for (std::size_t i = 0; i < batch.x.shape()[0]; ++i) {
            rows.push_back(batch.x(i, 0));
            BOOST_TEST(batch.x(i, 1) == std::sin(batch.x(i, 0)));
            if (source.facts().is_regression())
                BOOST_TEST(batch.targets(i, 0) == 3 * batch.x(i, 0));
            else
                BOOST_TEST(batch.labels(i) == static_cast<std::int64_t>(batch.x(i, 0)) % 3);
        }
    }
    return rows;
}

std::string bits(const std::vector<Parameter<double>>& parameters) {
    std::string all;
    for (const auto& parameter : parameters)
        all.append(reinterpret_cast<const char*>(parameter.value().data()), parameter.value().size() * sizeof(double));
    return all;
}

nn::Sequential<double> network() {
    std::mt19937_64 engine(7);
    return nn::Sequential<double>(nn::Dense<double>(2, 6, engine), nn::BatchNorm<double>(6), autograd::tanh<double>,
                                  nn::Dropout<double>(0.2, engine), nn::Dense<double>(6, 3, engine));
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_pass_hands_out_every_row_once) {
    for (const bool is_regression : {false, true}) {
        const auto data = counted(53, is_regression);
        for (const std::size_t buffer : {1, 2, 9, 52, 53, 54, 1000}) BOOST_TEST_CONTEXT("a buffer of " << buffer) {
                auto source = streamed(data, buffer);
                std::mt19937_64 engine(3), same(3);
                const auto first = order(source, &engine), second = order(source, &engine),
                           again = order(source, &same);
                BOOST_TEST((first == again));
                BOOST_TEST((first != second) == (buffer > 1));
                const auto in_order = order(source, nullptr);
                for (const auto& rows : {first, second}) {
                    auto sorted = rows;
                    std::ranges::sort(sorted);
                    BOOST_TEST((sorted == in_order));
                    // A row comes when it has been read.
                    for (std::size_t i = 0; i < rows.size(); ++i) BOOST_TEST(rows[i] < static_cast<double>(i + buffer));
                }
                for (std::size_t i = 0; i < 53; ++i) BOOST_TEST(in_order[i] == static_cast<double>(i));
                if (buffer < 53) continue;
                nn::DatasetBatches<double> whole(data);
                std::mt19937_64 other(3);
                BOOST_TEST((order(whole, &other) == first));
                BOOST_TEST((order(whole, &other) == second));
            }
    }
}

BOOST_AUTO_TEST_CASE(a_pass_of_other_rows_is_refused) {
    const auto data = counted(20);
    std::mt19937_64 engine(1);
    const auto refused = [&](std::ptrdiff_t more, std::size_t buffer, const std::string& part) {
        auto source = streamed(data, buffer, static_cast<std::size_t>(more));
        check_message(
            [&] {
                nn::Batch<double> batch;
                for (source.begin(4, &engine); source.next(batch);) {
                }
            },
            part);
    };
    for (const std::size_t buffer : {3, 20, 30}) {
        refused(1, buffer, "[batches] a pass has 20 rows, not 21");
        refused(-1, buffer, "[batches] a pass has more than 19 rows");
    }
    check_message([&] { streamed(data, 0); }, "a shuffle buffer has no rows");
}

// All that a training may have, on rows in memory, in a buffer that holds them, and in a smaller one.
BOOST_AUTO_TEST_CASE(a_block_of_other_columns_is_refused) {
    const auto refused = [](const nn::Batch<double>& block, const nn::RowFacts& facts, const std::string& part) {
        const auto open = [&]() -> nn::ReadRows<double> {
            return [&](nn::Batch<double>& rows) {
                rows = block;
                return true;
            };
        };
        nn::StreamedBatches<double> source(facts, "", open, 2);
        nn::Batch<double> batch;
        source.begin(2, nullptr);
        check_message([&] { source.next(batch); }, part);
    };
    const Array<double> narrow(Shape{4, 1}, 0.0), right(Shape{4, 2}, 0.0), deep(Shape{4, 2, 1}, 0.0);
    const autograd::Indices two(Shape{2}, 0), four(Shape{4}, 0);
    refused({narrow, four, {}}, {4, 2, 1, 0},
            "[batches] a block has features of shape (4, 1) and labels of shape (4,), not (4, 2) and (4,)");
    refused({right, two, {}}, {4, 2, 1, 0}, "(4, 2) and labels of shape (2,), not (4, 2) and (4,)");
    refused({deep, four, {}}, {4, 2, 1, 0}, "(4, 2, 1) and labels");
    refused({right, {}, narrow}, {4, 2, 0, 2}, "(4, 2) and targets of shape (4, 1), not (4, 2) and (4, 2)");
}

BOOST_AUTO_TEST_CASE(a_training_on_a_stream_is_the_same_and_goes_on_where_it_was) {
    auto data = counted(60), held = counted(17);
    for (auto* features : {&data.features, &held.features})
        for (std::size_t i = 0; i < features->shape()[0]; ++i) (*features)(i, 0) = std::cos((*features)(i, 0));
    const Folder folder;
    const auto run = [&](std::size_t buffer, std::size_t stop_after, bool resume, std::size_t rows = 60) {
        auto model = network();
        nn::Adam<double> optimizer(model.parameters(), {.rate = 0.02});
        nn::FitOptions<double> options{.epochs = 5, .batch = 8, .optimizer = &optimizer};
        options.schedule = nn::one_cycle(40);
        options.progress = nullptr;
        if (stop_after > 0 || resume) options.checkpoint = folder / "checkpoint";
        options.history = folder / "history.csv";
        options.resume = resume;
        std::size_t steps = 0;
        options.on_step = [&](const nn::Epoch&) { return ++steps != stop_after; };
        if (buffer == 0) {
            options.validation = &held;
            nn::fit(model, data, options);
        } else {
            const auto kept = rows == 60 ? data : nn::rows_of(data, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
            auto source = streamed(kept, buffer), validation = streamed(held, 3);
            options.validation_source = &validation;
            nn::fit(model, source, options);
        }
        return bits(model.parameters()) + bytes_of(folder / "history.csv");
    };
    const std::string whole = run(0, 0, false), small = run(11, 0, false);
    BOOST_TEST((run(60, 0, false) == whole));
    BOOST_TEST((run(4000, 0, false) == whole));
    BOOST_TEST((small != whole));
    for (const std::size_t buffer : {0, 60, 11})
        for (const std::size_t steps : {1, 4, 7, 8, 9, 16, 21}) {
            run(buffer, steps, false);
            run(buffer, 2, true);
            BOOST_TEST((run(buffer, 0, true) == (buffer == 11 ? small : whole)), "after " << steps << " steps");
        }
    run(11, 3, false);
    check_message([&] { run(11, 0, true, 10); }, "made with training data: 60 rows of 2 columns, 3 classes, not 10");
}

BOOST_AUTO_TEST_CASE(options_of_streams) {
    const auto data = counted(20), other = counted(20, true), empty = nn::rows_of(data, {});
    auto model = network();
    const auto refused = [&](const std::string& part, nn::FitOptions<double> options) {
        auto source = streamed(data, 5);
        options.progress = nullptr;
        check_message([&] { nn::fit(model, source, options); }, part);
    };
    auto numbers = streamed(other, 5), none = streamed(empty, 5);
    refused("no share is taken of batches", {.validation_share = 0.1});
    refused("the rows for validation have other columns", {.validation_source = &numbers});
    refused("there are no rows for validation", {.validation_source = &none});
    refused("given twice", {.validation = &data, .validation_source = &numbers});
    check_message([&] { nn::fit(model, none, {.progress = nullptr}); }, "[fit] there are no rows");
}

namespace {

/// All blocks as one.
nn::Dataset<double> gathered(const nn::RowStream& stream) {
    nn::Dataset<double> data = stream.outline();
    const nn::RowFacts facts = stream.facts();
    std::vector<double> features, targets;
    std::vector<std::int64_t> labels;
    nn::Batch<double> block;
    for (const auto read = stream.open(); read(block);) {
        features.insert(features.end(), block.x.begin(), block.x.end());
        if (facts.is_regression())
            targets.insert(targets.end(), block.targets.begin(), block.targets.end());
        else
            labels.insert(labels.end(), block.labels.begin(), block.labels.end());
    }
    BOOST_TEST_REQUIRE(features.size() == facts.rows * facts.columns);
    data.features = Array<double>::from_shape({facts.rows, facts.columns});
    std::ranges::copy(features, data.features.data());
    data.labels = autograd::Indices::from_shape({labels.size()});
    std::ranges::copy(labels, data.labels.data());
    if (facts.is_regression()) data.targets = Array<double>::from_shape({facts.rows, facts.targets});
    std::ranges::copy(targets, data.targets.data());
    return data;
}

void check_same(const nn::Dataset<double>& one, const nn::Dataset<double>& other) {
    const auto same = [](const auto& a, const auto& b) {
        return a.size() == b.size() &&
               std::equal(a.begin(), a.end(), b.begin(), [](auto x, auto y) { return x == y || (x != x && y != y); });
    };
    BOOST_TEST((one.features.shape() == other.features.shape()));
    BOOST_TEST(same(one.features, other.features));
    BOOST_TEST((one.class_names == other.class_names));
    BOOST_TEST((one.column_names == other.column_names));
    BOOST_TEST((one.target_names == other.target_names));
    BOOST_TEST((one.columns == other.columns));
    BOOST_TEST(one.label_name == other.label_name);
    BOOST_TEST(one.dropped == other.dropped);
    if (one.is_regression())
        BOOST_TEST(same(one.targets, other.targets));
    else
        BOOST_TEST(same(one.labels, other.labels));
}

std::string table(int rows) {
    std::string text = "size,colour,mark,price,kind\n";
    for (int i = 0; i < rows; ++i) {
        const std::string colours[] = {"red", "green", "blue", "?"};
        text += std::to_string(i * 37 % 101) + "," + colours[i * i % 4] + "," +
                (i % 9 == 0 ? "NA" : std::to_string(i)) + "," + std::to_string(i * 0.1) + "," +
                (i % 5 < 2 ? "b" : "a") + "\n";
    }
    return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_table_in_blocks_is_the_table) {
    const Folder folder;
    const std::string path = folder.write("t.csv", table(3000)), few = folder.write("few.csv", table(40)),
                      digits = DELTARULE_SOURCE_DIR "/examples/data/digits.csv.gz",
                      plain = folder.write("plain.csv", "1,2,1\n3,4,1.0\n5,6,2\n");
    using nn::Missing;
    using nn::Task;
    const std::pair<std::string, nn::TableOptions> tables[] = {
        {path, {.missing = Missing::mean}},
        {path, {.missing = Missing::drop}},
        {few, {.labels = {"price"}, .missing = Missing::mean}},
        {path, {.labels = {"price,size"}, .drop = {"mark"}, .missing = Missing::drop}},
        {few, {.labels = {"size"}, .task = Task::classification, .missing = Missing::mean}},
        {few, {.labels = {"size"}, .task = Task::regression, .missing = Missing::mean}},
        {digits, {}},
        {plain, {}},
        {plain, {.task = Task::regression}},
        {DELTARULE_SOURCE_DIR "/examples/data/diabetes.csv", {}}};
    for (const auto& [file, options] : tables) {
        const auto stream = nn::RowStream::of_table(file, options);
        const auto whole = nn::read_table(file, options);
        check_same(gathered(stream), whole);
        check_same(gathered(stream), whole);
        BOOST_TEST(stream.checksum() == nn::RowStream::of_table(file, options).checksum());
    }
    BOOST_TEST(nn::RowStream::of_table(few, {.missing = Missing::mean}).checksum() !=
               nn::RowStream::of_table(few, {.missing = Missing::drop}).checksum());
    // What the whole table is refused for.
    const auto refused = [&](const std::string& text, const nn::TableOptions& options = {}) {
        const std::string file = folder.write("refused.csv", text);
        const auto sentence = [&](const auto& read) -> std::string {
            try {
                read();
            } catch (const autograd::FileError& error) {
                return error.what();
            }
            return "";
        };
        const std::string whole = sentence([&] { nn::read_table(file, options); });
        BOOST_TEST(!whole.empty());
        BOOST_TEST(sentence([&] { nn::RowStream::of_table(file, options); }) == whole);
    };
    refused(table(30));
    refused("x,y\n");
    refused("x,y\n1,a\nb,a\n");
    refused("x,y\n1,a\n2,\n");
    refused("x,y\n1,a\n2,b\n3\n");
    refused("x,y\n1,a\n2,b\n", {.task = Task::regression});
    refused("x,y\n1,1\n2,inf\n", {.task = Task::regression});
    refused("1,2,0\n2,3,word\n", {.labels = {"0,1"}});
    refused("0,1,target\n1,2,a\n3,4,b\n5,6,a\n7,8,b\n");
    refused("p,q\na,b\nc,d\n");
    std::string names = "name,y\n", own = "x,y\n";
    for (int i = 0; i < 40; ++i) {
        names += "n" + std::to_string(i) + "," + std::to_string(i % 2) + "\n";
        own += std::to_string(i) + ",n" + std::to_string(i) + "\n";
    }
    refused(names);
    refused(own);
}

BOOST_AUTO_TEST_CASE(targets_are_not_kept_where_they_are_no_classes) {
    const Folder folder;
    std::string many = "x,y\n", words = many;
    for (int i = 0; i < 70000; ++i) {
        many += std::to_string(i % 7) + "," + std::to_string(i) + "\n";
        words += std::to_string(i % 7) + ",n" + std::to_string(i) + "\n";
    }
    const auto stream = nn::RowStream::of_table(folder.write("many.csv", many));
    BOOST_TEST(stream.facts().targets == 1u);
    BOOST_TEST(stream.facts().rows == 70000u);
    const auto options = nn::TableOptions{.task = nn::Task::classification};
    check_message([&] { nn::RowStream::of_table(folder / "many.csv", options); }, "more than 65536 different classes");
    check_message([&] { nn::RowStream::of_table(folder.write("words.csv", words)); }, "more than 65536 different");
    check_message([&] { nn::RowStream::of_table(folder.write("late.csv", many + "1,word\n")); },
                  "late.csv:70002: 'word' in the target, column 'y', is not a finite number");
}

BOOST_AUTO_TEST_CASE(images_in_blocks_are_the_images) {
    const Folder folder;
    const std::size_t rows = 2500;
    const auto header = [](int type, std::vector<std::size_t> shape) {
        std::string bytes = {0, 0, static_cast<char>(type), static_cast<char>(shape.size())};
        for (const std::size_t n : shape)
            for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(n >> shift);
        return bytes;
    };
    std::string images = header(8, {rows, 3, 4}), labels = header(8, {rows}), qmnist = header(12, {rows, 8});
    for (std::size_t i = 0; i < rows * 12; ++i) images += static_cast<char>(i * 31);
    for (std::size_t i = 0; i < rows; ++i) {
        labels += static_cast<char>(i * i % 7);
        qmnist.append(3, '\0').append(1, static_cast<char>(i * i % 7)).append(28, '\1');
    }
    const std::string x = folder.write("x", images), y = folder.write("y", labels), q = folder.write("q", qmnist);
    for (const std::string& path : {y, q}) {
        const auto stream = nn::RowStream::of_idx(x, path);
        check_same(gathered(stream), nn::read_idx<double>(x, path));
        check_same(gathered(stream), nn::read_idx<double>(x, path));
    }
    const auto refused = [&](const std::string& bytes, const std::string& part) {
        const std::string file = folder.write("bad", bytes);
        check_message([&] { gathered(nn::RowStream::of_idx(file, y)); }, part);
        check_message([&] { nn::read_idx<double>(file, y); }, part);
    };
    refused(images.substr(0, images.size() - 1), "the header promises 30000 bytes, but 29999 follow");
    refused(images + "1", "the header promises 30000 bytes, but more follow");
    refused(header(8, {rows - 1, 3, 4}) + images.substr(16, (rows - 1) * 12), "2499 rows, but");
    labels[10] = 'x';
    check_message([&] { nn::RowStream::of_idx(x, folder.write("l", labels + "1")); }, "but more follow");
}

BOOST_AUTO_TEST_CASE(a_file_that_changes_is_noticed) {
    const Folder folder;
    const std::string text = table(5000), path = folder.write("t.csv", text);
    const nn::TableOptions options{.missing = nn::Missing::mean};
    const auto changed = [&](const std::string& other) {
        const auto stream = nn::RowStream::of_table(folder.write("t.csv", text), options);
        gathered(stream);
        folder.write("t.csv", other);
        check_message([&] { gathered(stream); }, "t.csv: it changed while it was read");
    };
    changed(text + "1,red,2,3,a\n");
    changed(text.substr(0, text.size() - 5));
    std::string digit = text;
    digit[text.find(",red") - 1] ^= 1;
    changed(digit);
    // Between the first block and the others.
    const auto stream = nn::RowStream::of_table(folder.write("t.csv", text), options);
    const auto read = stream.open();
    nn::Batch<double> block;
    BOOST_TEST(read(block));
    folder.write("t.csv", digit);
    check_message([&] { read(block); }, "it changed while it was read");
    // The same bytes with the old time: nobody could tell, but the numbers are others.
    const auto steady = nn::RowStream::of_table(folder.write("t.csv", text), options);
    gathered(steady);
    struct stat before {};
    stat(path.c_str(), &before);
    folder.write("t.csv", digit);
    const timespec times[] = {before.st_atim, before.st_mtim};
    utimensat(AT_FDCWD, path.c_str(), times, 0);
    check_message([&] { gathered(steady); }, "it changed while it was read");
    std::filesystem::remove(path);
    check_message([&] { gathered(steady); }, "cannot be opened");
    BOOST_TEST_REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
    check_message([&] { nn::RowStream::of_table(folder / "pipe"); }, "no regular file, and it has to be read more");
}
