// Files of NumPy: what it wrote (tests/golden/make_numpy.py) is read, what it would write is written, and what was
// damaged is refused.
#define BOOST_TEST_MODULE numpy
#include <autograd/error.hpp>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <nlohmann/json.hpp>
#include <nn/files/zip.hpp>
#include <nn/mlp.hpp>
#include <nn/numpy.hpp>

#include "fuzz/fuzz.hpp"
#include "temporary_folder.hpp"

namespace {

using autograd::Array;
using autograd::Parameter;
using autograd::Shape;
using nlohmann::json;

const Folder folder;

std::string golden(const std::string& name) { return DELTARULE_SOURCE_DIR "/tests/golden/numpy/" + name; }

bool is_npy(const std::string& name) { return name.ends_with(".npy"); }

/// The arrays of either kind of file.
template <class T>
std::map<std::string, Array<T>> arrays_of(const std::string& path, bool npy) {
    if (npy) return {{"array", nn::read_npy<T>(path)}};
    return nn::read_npz<T>(path).arrays;
}

void refuses(const std::string& path, bool npy, const std::string& part) {
    BOOST_CHECK_EXCEPTION(arrays_of<double>(path, npy), autograd::FileError, [&](const autograd::FileError& error) {
        BOOST_TEST_MESSAGE(error.what());
        return std::string(error.what()).find(part) != std::string::npos;
    });
}

/// An .npy file with this header.
std::string npy(std::string header, const std::string& numbers) {
    header += '\n';
    return std::string("\x93NUMPY\1\0", 8) + static_cast<char>(header.size()) + '\0' + header + numbers;
}

void put(std::string& bytes, std::size_t at, std::uint64_t number, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) bytes.at(at + i) = static_cast<char>(number >> (8 * i) & 0xff);
}

Parameter<float> parameter(const std::string& name, const Shape& shape) { return {name, Array<float>(shape, 7.0f)}; }

std::vector<Parameter<float>> network() {
    return {parameter("0.weight", {4, 3}), parameter("0.bias", {4}), parameter("2.weight", {2, 4}),
            parameter("2.bias", {2})};
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_numpy_wrote_is_read) {
    const json expected = json::parse(bytes_of(golden("expected.json")));
    BOOST_TEST(expected.size() > 35u);
    for (const auto& [file, arrays] : expected.items()) BOOST_TEST_CONTEXT(file) {
            const auto doubles = arrays_of<double>(golden(file), is_npy(file));
            const auto floats = arrays_of<float>(golden(file), is_npy(file));
            BOOST_TEST(doubles.size() == arrays.size());
            for (const auto& [name, array] : arrays.items()) {
                BOOST_TEST(
                    std::ranges::equal(doubles.at(name).shape(), array.at("shape").get<std::vector<std::size_t>>()));
                const auto numbers = array.at("numbers").get<std::vector<double>>();
                BOOST_TEST(std::ranges::equal(doubles.at(name), numbers));
                BOOST_TEST(std::ranges::equal(floats.at(name), numbers, {}, {}, [](double x) { return float(x); }));
            }
        }
}

BOOST_AUTO_TEST_CASE(an_array_is_written_as_numpy_writes_it) {
    for (const std::string name : {"little_f8", "number", "vector", "empty_behind", "many_axes", "block"}) {
        nn::save_npy(folder / "written.npy", nn::read_npy<double>(golden(name + ".npy")));
        BOOST_TEST((bytes_of(folder / "written.npy") == bytes_of(golden(name + ".npy"))), name);
    }
    for (const std::string name : {"little_f4", "fractions", "long_vector", "empty"}) {
        nn::save_npy(folder / "written.npy", nn::read_npy<float>(golden(name + ".npy")));
        BOOST_TEST((bytes_of(folder / "written.npy") == bytes_of(golden(name + ".npy"))), name);
    }
}

BOOST_AUTO_TEST_CASE(a_network_comes_back_bit_for_bit_with_its_metadata) {
    std::mt19937_64 engine(1);
    nn::Mlp<double> saved({3, 4, 2}, nn::ActivationKind::tanh, engine),
        loaded({3, 4, 2}, nn::ActivationKind::tanh, engine);
    const nn::Metadata metadata{{"trained", "in \"Z\xc3\xbcrich\"\n"}, {"\xf0\x9f\x8c\xb1", ""}};
    nn::save(folder / "network.npz", saved.parameters(), metadata);
    BOOST_TEST(bytes_of(folder / "network.npz").starts_with("PK"));
    BOOST_TEST((nn::load(folder / "network.npz", loaded.parameters()) == metadata));
    for (std::size_t i = 0; i < 4; ++i) BOOST_TEST((loaded.parameters()[i].value() == saved.parameters()[i].value()));
    const nn::Outline outline = nn::read_outline(folder / "network.npz");
    BOOST_TEST((outline.shapes.at("2.weight") == Shape{2, 4}));
    BOOST_TEST((outline.metadata == metadata));
    BOOST_TEST(nn::read_npz<float>(folder / "network.npz").arrays.size() == 4u);  // from float64
    // The format is told by what is in the file.
    std::filesystem::copy(folder / "network.npz", folder / "renamed");
    BOOST_TEST((nn::load(folder / "renamed", loaded.parameters()) == metadata));
    nn::save_npz(folder / "again", saved.parameters(), metadata);
    BOOST_TEST((bytes_of(folder / "again") == bytes_of(folder / "network.npz")));
}

BOOST_AUTO_TEST_CASE(networks_of_numpy_are_loaded_under_the_names_of_pytorch) {
    for (const std::string name : {"stored", "deflated", "mixed", "streamed", "zip64"}) {
        const auto parameters = network();
        nn::load(golden(name + ".npz"), parameters);
        BOOST_TEST(parameters[0].value()(3, 2) == 11.0f / 16, name);
        BOOST_TEST(parameters[2].value()(1, 0) == -4, name);
    }
    BOOST_TEST(nn::read_npz<float>(golden("metadata.npz")).metadata.at("trained in") == "Z\xc3\xbcrich");
    BOOST_TEST(nn::read_npz<float>(golden("metadata_big.npz")).metadata.at("\xcf\x80") == "3");
    BOOST_TEST(nn::read_npz<float>(golden("no_array.npz")).arrays.empty());
}

BOOST_AUTO_TEST_CASE(arrays_that_are_not_asked_for_may_be_of_any_type) {
    const auto w = parameter("w", {2});
    nn::load<float>(golden("some_unread.npz"), {w});
    BOOST_TEST(w.value()(1) == 1);
    BOOST_TEST(nn::read_outline(golden("some_unread.npz")).shapes.size() == 1u);
    refuses(golden("some_unread.npz"), false, "which is not read");
}

BOOST_AUTO_TEST_CASE(nothing_changes_where_a_file_does_not_fit) {
    auto other = network();
    other[3] = parameter("2.bias", {3});
    BOOST_CHECK_THROW(nn::load(golden("stored.npz"), other), autograd::FileError);
    other[3] = parameter("3.bias", {2});
    BOOST_CHECK_THROW(nn::load(golden("stored.npz"), other), autograd::FileError);
    for (const auto& one : other)
        for (const float x : one.value()) BOOST_TEST(x == 7);
}

BOOST_AUTO_TEST_CASE(what_is_not_read_is_named) {
    refuses(golden("objects.npy"), true, "type |O, which is not read");
    refuses(golden("complex.npy"), true, "type <c8, which is not read");
    refuses(golden("words.npy"), true, "type <U3, which is not read");
    refuses(golden("records.npy"), true, "type a record, which is not read");
    refuses(golden("bzip2.npz"), false, "compressed by method 12");
    refuses(golden("pickle.npz"), false, "PyTorch's own format, a pickle");
    refuses(golden("other.npz"), false, "'README' in it is no array");
    refuses(golden("vector.npy"), false, "not an .npz file");
    refuses(golden("stored.npz"), true, "not an .npy file");
    refuses(golden("none.npy"), true, "cannot be opened");
    for (const char* name : {"long", "range"}) {
        const bool integer = name[0] == 'l';
        std::string number(8, '\0');
        const double far = 1e39;
        integer ? put(number, 0, (std::uint64_t{1} << 60) + 1, 8) : void(std::memcpy(number.data(), &far, 8));
        const std::string path = folder.write(
            name, npy(std::string("{'descr': '<") + (integer ? "i8" : "f8") + "', 'fortran_order': False, 'shape': ()}",
                      number));
        BOOST_CHECK_THROW(nn::read_npy<float>(path), autograd::FileError);
        if (!integer) BOOST_TEST(nn::read_npy<double>(path)() == 1e39);
    }
    BOOST_CHECK_THROW(nn::save<float>(folder / "never.npz", {parameter(std::string("a\0b", 3), {1})}),
                      autograd::FileError);
    BOOST_CHECK_THROW(nn::save<float>(folder / "never.npz", {parameter("\xff", {1})}), autograd::FileError);
    BOOST_CHECK_THROW(nn::save<float>(folder / "never.npz", {parameter("__metadata__", {1})}), std::invalid_argument);
    BOOST_CHECK_THROW(nn::save<float>(folder / "never.npz", {parameter("a", {1}), parameter("a", {1})}),
                      std::invalid_argument);
    BOOST_TEST(!std::filesystem::exists(folder / "never.npz"));
}

BOOST_AUTO_TEST_CASE(headers_are_read_as_python_has_them_or_refused) {
    const std::string two(8, '\0');
    for (const char* header : {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
                               "{'shape':(2,),'descr':'<f4','fortran_order':True}",
                               "{\"descr\": \"<f4\", 'fortran_order': False, 'shape': (2L,)}",
                               " { 'descr' : '|u1', 'fortran_order':False,'shape': ( 4 , 2 ) , } ",
                               "{'descr': '<i1', 'fortran_order': False, 'shape': (2, 4,)}",
                               "{'descr': '>u8', 'fortran_order': False, 'shape': ()}"})
        BOOST_CHECK_NO_THROW(nn::read_npy<double>(folder.write("good.npy", npy(header, two))));
    for (const char* header : {"",
                               "{",
                               "{}",
                               "{'descr': '<f4'}",
                               "{'descr': '<f4', 'fortran_order': False}",
                               "{'descr': '<f4', 'shape': (2,)}",
                               "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}",
                               "{'descr': '<f4', 'fortran_order': False, 'shape': 2}",
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (2)}",
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (2.0,)}",
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (2,}",
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
                               "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}",
                               "{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}",
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
                               "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (2,)}",
                               "{'descr': [('a', '<f4'), 'fortran_order': False, 'shape': (2,)}",
                               "{'descr': '<f4, 'fortran_order': False, 'shape': (2,)}"})
        refuses(folder.write("bad.npy", npy(header, two)), true, "not what NumPy prescribes");
    const auto shaped = [&](const std::string& type, const std::string& shape) {
        return folder.write("bad.npy",
                            npy("{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + "}", two));
    };
    refuses(shaped("<f4", "(3,)"), true, "needs 12 bytes");
    refuses(shaped("<f4", "(1,)"), true, "needs 4 bytes");
    refuses(shaped("<f4", "(4294967296, 4294967296)"), true, "too long");
    refuses(shaped("<f4", "(0, 4294967296, 4294967296)"), true, "too long");
    for (const char* type : {"f4", "=f4", "|f4", "<f3", "<f16", "<V2", "f", "", "<"})
        refuses(shaped(type, "(2,)"), true, "is not read");
}

BOOST_AUTO_TEST_CASE(zip_files_that_lie_are_refused) {
    const std::string whole = bytes_of(golden("stored.npz"));
    const std::size_t central = whole.find("PK\1\2"), end = whole.find("PK\5\6"), second = whole.find("PK\3\4", 1);
    const auto refuses_changed = [&](const std::string& part, std::size_t at, std::uint64_t number, std::size_t width) {
        std::string bytes = whole;
        put(bytes, at, number, width);
        refuses(folder.write("bad.npz", bytes), false, part);
    };
    refuses_changed("encrypted", central + 8, 1, 2);
    refuses_changed("method 99", central + 10, 99, 2);
    refuses_changed("is damaged", central + 16, 1, 4);        // the checksum
    refuses_changed("damaged or cut", central + 20, 100, 4);  // the packed size
    refuses_changed("damaged or cut", central + 24, 100, 4);  // the size
    refuses_changed("damaged or cut", central + 42, 1, 4);    // where it begins
    refuses_changed("damaged or cut", central + 42, second, 4);
    refuses_changed("damaged or cut", central + 28, 9, 2);  // the name's length
    refuses_changed("damaged or cut", end + 8, 5, 4);       // how many there are
    refuses_changed("damaged or cut", end + 10, 5, 2);
    refuses_changed("damaged or cut", end + 12, 5, 4);
    refuses_changed("damaged or cut", end + 4, 1, 2);   // the disk
    refuses_changed("damaged or cut", end + 20, 1, 2);  // a comment's length
    refuses(folder.write("bad.npz", whole + "more"), false, "damaged or cut");
    refuses(folder.write("bad.npz", "PK"), false, "damaged or cut");
    std::string commented = whole + "a comment";
    put(commented, end + 20, 9, 2);
    BOOST_TEST(nn::read_npz<float>(folder.write("good.npz", commented)).arrays.size() == 4u);

    std::string twice = whole;  // 0.bias becomes a second 2.bias
    for (std::size_t at = 0; (at = twice.find("0.bias", at)) != std::string::npos;) twice[at] = '2';
    refuses(folder.write("bad.npz", twice), false, "'2.bias.npy' stands in it twice");

    // A small file that promises 2^40 bytes is refused before they are unpacked.
    std::string large = bytes_of(golden("zip64.npz"));
    const std::size_t member = large.find("PK\1\2");
    BOOST_REQUIRE(member != std::string::npos);
    const std::size_t size = large.find(std::string("\x01\0\x10\0", 4), member);
    BOOST_REQUIRE(size != std::string::npos);
    put(large, size + 4, std::uint64_t{1} << 40, 8);
    refuses(folder.write("bad.npz", large), false, "damaged or cut");
    put(large, member + 10, 8, 2);
    refuses(folder.write("bad.npz", large), false, "a quarter of the memory");
    // One that unpacks to more or to less than it promises, too.
    for (const int more : {-1, 1}) {
        std::string packed = bytes_of(golden("deflated.npz"));
        const std::size_t at = packed.find("PK\1\2") + 24;
        put(packed, at, static_cast<std::uint64_t>(static_cast<unsigned char>(packed[at]) + more), 1);
        refuses(folder.write("bad.npz", packed), false, "'0.weight.npy' in it is damaged");
    }
}

BOOST_AUTO_TEST_CASE(metadata_are_a_text_with_an_object_of_texts) {
    const auto holding = [](std::string text, const std::string& type) {
        for (std::size_t i = text.size(); i > 0; --i) text.insert(i, 3, '\0');
        nn::files::ZipWriter zip("metadata");
        zip.add("__metadata__.npy", npy("{'descr': '" + type + "', 'fortran_order': False, 'shape': ()}", text));
        return folder.write("metadata.npz", std::move(zip).finish());
    };
    BOOST_TEST(nn::read_npz<float>(holding(R"( {"a": "b"} )", "<U12")).metadata.at("a") == "b");
    BOOST_TEST(nn::read_npz<float>(holding(std::string("{}\0", 3), "<U3")).metadata.empty());
    for (const char* text : {"", "[]", "1", "{", R"({"a":1})", R"({"a":{}})", R"({"a":"b","a":"c"})", R"({}, "w":{})",
                             R"({},"__metadata__":{})", "{\xff}"})
        refuses(holding(text, "<U" + std::to_string(std::strlen(text))), false,
                "not a text with a JSON object of texts");
    refuses(holding("{}", "<i4"), false, "needs 4 bytes");
    for (const char* type : {">U2", "<U3", "<U1", "<S2"})
        refuses(holding("{}", type), false, "not a text with a JSON object of texts");
}

BOOST_AUTO_TEST_CASE(whatever_is_cut_is_refused_and_what_is_changed_is_never_read_as_another_number) {
    for (const std::string name : {"stored.npz", "deflated.npz", "streamed.npz", "zip64.npz", "metadata.npz"}) {
        const std::string whole = bytes_of(golden(name));
        const auto before = nn::read_npz<float>(golden(name)).arrays;
        const auto read = [](const std::string& bytes) {
            return nn::read_npz<float>(fuzz::MemoryFile(bytes).path()).arrays;
        };
        for (std::size_t size = 0; size < whole.size(); ++size)
            BOOST_CHECK_THROW(read(whole.substr(0, size)), autograd::FileError);
        for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
            std::string changed = whole;
            changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
            try {
                BOOST_TEST((read(changed) == before), name << " bit " << bit);
            } catch (const autograd::FileError&) {
            }
        }
    }
    const std::string whole = bytes_of(golden("fortran_big.npy"));
    for (std::size_t size = 0; size < whole.size(); ++size)
        BOOST_CHECK_THROW(nn::read_npy<float>(fuzz::MemoryFile(whole.substr(0, size)).path()), autograd::FileError);
}
