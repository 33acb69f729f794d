#define BOOST_TEST_MODULE safetensors
#include <autograd/error.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <nn/checkpoint.hpp>
#include <nn/mlp.hpp>
#include <nn/safetensors.hpp>
#include <random>

#include "temporary_folder.hpp"

namespace {

using autograd::Array;
using autograd::Parameter;

const Folder folder;

/// A file as the format's description has it.
std::string file_of(const std::string& header, const std::string& data) {
    std::string bytes(8, '\0');
    for (int i = 0; i < 8; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<char>(header.size() >> (8 * i) & 255);
    return bytes + header + data;
}

std::string number(float value) {
    std::string bytes(4, '\0');
    std::memcpy(bytes.data(), &value, 4);
    return bytes;
}

void refuses(const std::string& bytes, const std::string& part) {
    BOOST_CHECK_EXCEPTION(nn::read_safetensors<double>(folder.write("bad", bytes)), autograd::FileError,
                          [&](const autograd::FileError& error) {
                              BOOST_TEST_MESSAGE(error.what());
                              return std::string(error.what()).find(part) != std::string::npos;
                          });
}

}  // namespace

BOOST_AUTO_TEST_CASE(reads_a_file_written_by_hand) {
    const std::string data = number(1.5f) + number(-2) + number(3);
    const auto tensors = nn::read_safetensors<double>(folder.write(
        "hand", file_of(R"({"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[],"data_offsets":[8,12]},)"
                        R"("a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}   )",
                        data)));
    BOOST_TEST((tensors.arrays.at("a").shape() == autograd::Shape{2, 1}));
    BOOST_TEST(tensors.arrays.at("a")(1, 0) == -2);
    BOOST_TEST(tensors.arrays.at("b")() == 3);
    BOOST_TEST(tensors.metadata.at("k") == "v");
}

BOOST_AUTO_TEST_CASE(what_the_format_does_not_know_about_an_array_is_skipped) {
    const auto tensors = nn::read_safetensors<float>(folder.write(
        "other", file_of(R"({"dtype":{"more":{"dtype":1,"shape":[{"shape":"x"}]},"dtype":"F32","list":[[],null,true,)"
                         R"(-1,2.5,"shape"],"shape":[1],"data_offsets":[0,4],"shape2":{"data_offsets":[9]}}})",
                         number(3))));
    BOOST_TEST(tensors.arrays.size() == 1u);
    BOOST_TEST((tensors.arrays.at("dtype") == Array<float>{3}));
}

BOOST_AUTO_TEST_CASE(names_are_escaped_as_json_has_it) {
    const std::string name = "a \"b\"\\\n\xc3\xa9\x01";
    nn::save<float>(folder / "escaped", {{name, Array<float>{1}}, {"B", Array<float>{2}}}, {{name, name}});
    const auto tensors = nn::read_safetensors<float>(folder / "escaped");
    BOOST_TEST(tensors.metadata.at(name) == name);
    BOOST_TEST(tensors.arrays.at(name)(0) == 1);
    BOOST_TEST(bytes_of(folder / "escaped")
                   .find(R"("a \"b\"\\\n)"
                         "\xc3\xa9"
                         R"(\u0001":{)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(writes_the_bytes_of_the_format) {
    nn::save<float>(folder / "written", {{"w", Array<float>{1.5f, -2}}}, {{"k", "v"}});
    const std::string header = R"({"__metadata__":{"k":"v"},"w":{"data_offsets":[0,8],"dtype":"F32","shape":[2]}})";
    const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
    BOOST_TEST((bytes_of(folder / "written") == file_of(padded, number(1.5f) + number(-2))));
}

BOOST_AUTO_TEST_CASE(a_network_comes_back_bit_for_bit_under_the_names_of_pytorch) {
    std::mt19937_64 engine(1);
    nn::Mlp<double> saved({3, 4, 2}, nn::ActivationKind::tanh, engine),
        loaded({3, 4, 2}, nn::ActivationKind::tanh, engine);
    nn::save(folder / "network", saved.parameters());
    nn::load(folder / "network", loaded.parameters());
    const std::vector<std::string> names = {"0.weight", "0.bias", "2.weight", "2.bias"};
    for (std::size_t i = 0; i < 4; ++i) {
        BOOST_TEST(loaded.parameters()[i].name() == names[i]);
        BOOST_TEST((loaded.parameters()[i].value() == saved.parameters()[i].value()));
    }
    BOOST_TEST(nn::read_safetensors<float>(folder / "network").arrays.size() == 4u);  // from F64
}

BOOST_AUTO_TEST_CASE(a_parameter_without_elements_is_kept) {
    nn::save<float>(folder / "empty", {{"none", Array<float>(autograd::Shape{0, 64})}});
    BOOST_TEST((nn::read_safetensors<float>(folder / "empty").arrays.at("none").shape() == autograd::Shape{0, 64}));
}

BOOST_AUTO_TEST_CASE(two_parameters_of_one_name_are_not_read) {
    const Parameter<float> a("w", Array<float>{1, 2}), b("w", Array<float>{3, 4});
    nn::save<float>(folder / "one", {a});
    BOOST_CHECK_THROW(nn::load<float>(folder / "one", {b, a}), std::invalid_argument);
    const nn::Sgd<float> one({a});
    nn::Sgd<float> two({b, a});
    nn::save_checkpoint<float>(folder / "checkpoint", {}, {a}, one);
    BOOST_CHECK_THROW(nn::load_checkpoint<float>(folder / "checkpoint", {b, a}, two), std::invalid_argument);
    BOOST_TEST((a.value() == Array<float>{1, 2} && b.value() == Array<float>{3, 4}));
}

BOOST_AUTO_TEST_CASE(nothing_changes_where_a_file_does_not_fit) {
    std::mt19937_64 engine(1);
    nn::Mlp<float> small({3, 4, 2}, nn::ActivationKind::tanh, engine),
        other({3, 4, 5}, nn::ActivationKind::tanh, engine), deep({3, 4, 2, 2}, nn::ActivationKind::tanh, engine);
    nn::save(folder / "small", small.parameters());
    for (nn::Mlp<float>* network : {&other, &deep}) {
        const Array<float> before = network->parameters()[0].value();
        BOOST_CHECK_THROW(nn::load(folder / "small", network->parameters()), autograd::FileError);
        BOOST_TEST((network->parameters()[0].value() == before));
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_lacks_an_array_says_what_it_holds) {
    const auto said = [](const std::vector<autograd::Parameter<float>>& saved) {
        nn::save(folder / "holds", saved);
        try {
            nn::load<float>(folder / "holds", {{"0.weight", Array<float>{{1, 2}}}});
        } catch (const autograd::FileError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const std::string lacks = (folder / "holds") + ": there is no array '0.weight'; the file holds ";
    BOOST_TEST(said({{"fc.weight", Array<float>{{1, 2}}}, {"fc.bias", Array<float>{1}}}) ==
               lacks + "'fc.weight' (1, 2), 'fc.bias' (1,)");
    BOOST_TEST(said({}) == lacks + "none");
    std::vector<autograd::Parameter<float>> many;
    for (const char letter : std::string("abcdefghij")) many.emplace_back(std::string(1, letter), Array<float>{1});
    BOOST_TEST(said(many).ends_with("'h' (1,) and 2 more"));
}

BOOST_AUTO_TEST_CASE(a_file_is_whole_or_not_there) {
    const Folder empty;
    BOOST_CHECK_THROW(nn::save<float>(empty / "no/folder", {{"w", Array<float>{1}}}), autograd::FileError);
    BOOST_CHECK_THROW(nn::save<float>(empty / "twice", {{"w", Array<float>{1}}, {"w", Array<float>{1}}}),
                      std::invalid_argument);
    BOOST_CHECK_THROW(nn::save<float>(empty / "text", {{"\xff", Array<float>{1}}}), autograd::FileError);
    BOOST_TEST(empty.is_empty());
}

BOOST_AUTO_TEST_CASE(every_element_type_that_pytorch_saves) {
    // The bytes are those of torch.tensor([...], dtype=...).numpy(), or of its view as uint16 where NumPy has no type.
    const auto read = [](const std::string& dtype, const std::string& bytes, std::size_t n) {
        const auto array = nn::read_safetensors<float>(folder.write(
            "type", file_of(R"({"__metadata__":null,"a":{"dtype":")" + dtype + R"(","shape":[)" + std::to_string(n) +
                                R"(],"data_offsets":[0,)" + std::to_string(bytes.size()) + "]}}",
                            bytes)));
        return array.arrays.at("a");
    };
    const float inf = std::numeric_limits<float>::infinity();
    // 1, -2.5, the least denormal, the largest, -inf, -0
    BOOST_TEST((read("F16", std::string("\x00\x3c\x00\xc1\x01\x00\xff\x7b\x00\xfc\x00\x80", 12), 6) ==
                Array<float>{1, -2.5f, 0x1p-24f, 65504, -inf, 0}));
    BOOST_TEST(std::isnan(read("F16", std::string("\x00\x7e", 2), 1)(0)));
    BOOST_TEST((read("BF16", std::string("\x80\x3f\x20\xc0\x01\x00\x7f\x7f\x80\x7f", 10), 5) ==
                Array<float>{1, -2.5f, 0x1p-133f, 0x1.fep127f, inf}));
    BOOST_TEST(
        (read("I64", std::string("\xfe\xff\xff\xff\xff\xff\xff\xff\x07\0\0\0\0\0\0\0", 16), 2) == Array<float>{-2, 7}));
    BOOST_TEST((read("I32", std::string("\xfe\xff\xff\xff\0\x01\0\0", 8), 2) == Array<float>{-2, 256}));
    BOOST_TEST((read("U8", "\xff\x01", 2) == Array<float>{255, 1}));
    BOOST_TEST((read("U16", std::string("\xff\xff\x01\0", 4), 2) == Array<float>{65535, 1}));
    BOOST_TEST((read("U32", std::string("\0\0\0\xff\xff\xff\xff\0", 8), 2) == Array<float>{0x1.fep31f, 0xffffff}));
    BOOST_TEST((read("U64", std::string("\0\0\0\0\0\0\0\x80", 8), 1) == Array<float>{0x1p63f}));
    // What a float does not hold, though a double may.
    const auto is_refused = [&](const char* dtype, const std::string& bytes) {
        BOOST_CHECK_EXCEPTION(read(dtype, bytes, 1), autograd::FileError, [](const autograd::FileError& error) {
            return std::string(error.what())
                       .find("'a' holds a number beyond the range of F32, or an integer with more digits") !=
                   std::string::npos;
        });
    };
    is_refused("U32", std::string("\x01\0\0\x01", 4));
    is_refused("I32", std::string("\x01\0\0\x01", 4));
    is_refused("U64", std::string(8, '\xff'));
    is_refused("I64", std::string("\xff\xff\xff\xff\xff\xff\xff\x7f", 8));
    BOOST_CHECK_THROW(nn::read_safetensors<double>(folder / "type"), autograd::FileError);
    BOOST_TEST((read("BOOL", std::string("\x01\x00", 2), 2) == Array<float>{1, 0}));
}

BOOST_AUTO_TEST_CASE(arrays_that_nobody_asks_for_are_skipped) {
    const std::string path =
        folder.write("more", file_of(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                                     R"("num_batches_tracked":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[4,8]}})",
                                     number(3) + number(0)));
    Parameter<float> w("w", Array<float>{0});
    nn::load<float>(path, {w});
    BOOST_TEST(w.value()(0) == 3);
}

BOOST_AUTO_TEST_CASE(a_double_beyond_the_range_of_floats_is_an_error) {
    nn::save<double>(folder / "large", {{"w", Array<double>{1, 1e39}}});
    BOOST_CHECK_THROW(nn::read_safetensors<float>(folder / "large"), autograd::FileError);
    Parameter<float> w("w", Array<float>{0, 0});
    BOOST_CHECK_THROW(nn::load<float>(folder / "large", {w}), autograd::FileError);
    BOOST_TEST(nn::read_safetensors<double>(folder / "large").arrays.at("w")(1) == 1e39);
}

BOOST_AUTO_TEST_CASE(refuses_headers_that_lie) {
    const std::string data = number(1) + number(2);
    const auto entry = [&](const std::string& dtype, const std::string& shape, const std::string& offsets) {
        return file_of(R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}",
                       data);
    };
    BOOST_CHECK_NO_THROW(nn::read_safetensors<double>(folder.write("good", entry("F32", "[2]", "[0,8]"))));
    refuses("", "not a safetensors file");
    refuses(file_of("{}", "").substr(0, 9), "cut short");
    refuses(std::string(8, '\xff') + "{}", "cut short");
    refuses(entry("F32", "[2]", "[0,8]").substr(0, 60), "");
    refuses(file_of("[1]", ""), "not what safetensors prescribes");
    refuses(file_of("{", ""), "not what safetensors prescribes");
    refuses(file_of(R"({"a":{}})", ""), "not what safetensors prescribes");
    for (
        const char* wrong :
        {R"("a":[1])", R"("a":null)", R"("a":{"dtype":"F32","shape":{},"data_offsets":[0,0]})", R"("__metadata__":[])",
         R"("a":{"dtype":"F32","shape":[[0]],"data_offsets":[0,0]})", R"("a":{"dtype":["F32"],"shape":[0]})",
         R"("a":{"dtype":"F32","shape":0,"data_offsets":[0,0]})", R"("__metadata__":{"k":1})", R"("shape":[0])",
         R"("a":{"dtype":"F32","shape":[0],"data_offsets":[0]})", R"("__metadata__":{"k":{}})", R"("dtype":"F32")",
         R"("a":{"dtype":"F32","shape":[0],"data_offsets":[0,0,0]})", R"("__metadata__":{"k":"v","k":"w"})",
         R"("a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})"})
        refuses(file_of("{" + std::string(wrong) + "}", ""), "not what safetensors prescribes");
    refuses(entry("F32", "[2]", "[0,9]"), "needs 8 bytes");
    refuses(entry("F32", "[2]", "[8,0]"), "needs 8 bytes");
    refuses(entry("F32", "[2]", "[8,16]"), "gap");
    refuses(entry("F32", "[1]", "[0,4]"), "promises 4 bytes, but more follow");
    refuses(entry("F32", "[4]", "[0,16]"), "promises 16 bytes, but 8 follow");
    refuses(entry("F32", "[-2]", "[0,8]"), "no length");
    refuses(entry("F32", "[4294967296,4294967296]", "[0,0]"), "too long");
    refuses(entry("F32", "[0,4294967296,4294967296]", "[0,0]"), "too long");
    refuses(entry("F8_E4M3", "[8]", "[0,8]"), "type F8_E4M3");
    refuses(
        file_of(
            R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
            data),
        "overlap");
}

BOOST_AUTO_TEST_CASE(every_mutation_is_read_or_refused) {
    std::mt19937_64 engine(2);
    nn::Mlp<float> network({3, 4, 2}, nn::ActivationKind::tanh, engine);
    nn::save(folder / "whole", network.parameters(), {{"widths", "[3, 4, 2]"}});
    const std::string whole = bytes_of(folder / "whole");
    for (int i = 0; i < 3000; ++i) {
        std::string bytes = whole;
        for (int k = 0; k < 2; ++k) bytes[engine() % bytes.size()] = static_cast<char>(engine() % 256);
        if (engine() % 4 == 0) bytes.resize(engine() % bytes.size());
        try {
            nn::read_safetensors<float>(folder.write("mutant", bytes));
        } catch (const autograd::FileError&) {
        }
    }
}
