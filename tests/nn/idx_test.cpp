#define BOOST_TEST_MODULE idx
#include <zlib.h>

#include <autograd/error.hpp>
#include <boost/test/unit_test.hpp>
#include <nn/data.hpp>
#include <random>

#include "temporary_folder.hpp"

namespace {

const Folder folder;

// Written out from the format's description.
const std::string images(
    "\0\0\x08\x03"
    "\0\0\0\x02"
    "\0\0\0\x02"
    "\0\0\0\x03"
    "\x01\x02\x03\x04\x05\x06\x80\xff\x00\x09\x0a\x0b",
    28);
const std::string labels(
    "\0\0\x08\x01"
    "\0\0\0\x02"
    "\x03\x01",
    10);

nn::Dataset<double> read(const std::string& image_bytes, const std::string& label_bytes) {
    return nn::read_idx<double>(folder.write("images", image_bytes), folder.write("labels", label_bytes));
}

void refuses(const std::string& image_bytes, const std::string& label_bytes, const std::string& part) {
    BOOST_CHECK_EXCEPTION(read(image_bytes, label_bytes), autograd::FileError, [&](const autograd::FileError& error) {
        BOOST_TEST_MESSAGE(error.what());
        return std::string(error.what()).find(part) != std::string::npos;
    });
}

}  // namespace

BOOST_AUTO_TEST_CASE(reads_rows_of_bytes) {
    const auto data = read(images, labels);
    BOOST_TEST(data.size() == 2u);
    BOOST_TEST((data.features == autograd::Array<double>{{1, 2, 3, 4, 5, 6}, {128, 255, 0, 9, 10, 11}}));
    BOOST_TEST((data.labels == autograd::Indices{3, 1}));
    BOOST_TEST(data.classes() == 4u);
    BOOST_TEST(data.class_names[3] == "3");
}

BOOST_AUTO_TEST_CASE(reads_gzipped_files_alike) {
    const std::string path = folder / "images.gz";
    gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, images.data(), static_cast<unsigned>(images.size()));
    gzclose(file);
    const auto data = nn::read_idx<float>(path, folder.write("labels", labels));
    BOOST_TEST(data.features(1, 1) == 255.0f);
    const std::string packed = bytes_of(path);
    refuses(packed.substr(0, packed.size() - 9), labels, "damaged or cut short");
}

BOOST_AUTO_TEST_CASE(nothing_is_lost_behind_a_gzipped_member) {
    const auto packed = [](const std::string& bytes) {
        const std::string path = folder / "part.gz";
        gzFile file = gzopen(path.c_str(), "wb");
        gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
        gzclose(file);
        return bytes_of(path);
    };
    const std::string one = packed(images.substr(0, 20)), two = packed(images.substr(20)), zeros(100'000, '\0');
    const auto whole = read(images, labels).features;
    BOOST_TEST((read(one + two, labels).features == whole));
    BOOST_TEST((read(one + packed("") + two + zeros, labels).features == whole));
    const char* other = "something else stands behind the packed data";
    refuses(one + '\x1e' + two.substr(1), labels, other);
    refuses(one + two + "more", labels, other);
    refuses(one + two + zeros + "more", labels, other);
    refuses(one + zeros + two, labels, other);
    refuses(one + '\x1f' + '\x8c' + two.substr(2), labels, "damaged or cut short");
    refuses(one + two + '\x1f', labels, "damaged or cut short");
    refuses(one + two.substr(0, two.size() - 1), labels, "damaged or cut short");
}

BOOST_AUTO_TEST_CASE(reads_every_element_type) {
    const auto one = [](char type, const std::string& bytes) {
        return read(std::string("\0\0", 2) + type + std::string("\x01\0\0\0\x01", 5) + bytes,
                    std::string("\0\0\x08\x01\0\0\0\x01\0", 9))
            .features(0, 0);
    };
    BOOST_TEST(one('\x09', "\xfe") == -2);
    BOOST_TEST(one('\x0b', "\xff\x01") == -255);
    BOOST_TEST(one('\x0c', std::string("\x00\x01\x00\x00", 4)) == 65536);
    BOOST_TEST(one('\x0d', std::string("\x3f\xc0\x00\x00", 4)) == 1.5);
    BOOST_TEST(one('\x0e', std::string("\xbf\xf8\x00\x00\x00\x00\x00\x00", 8)) == -1.5);
    BOOST_CHECK_THROW(one('\x0d', std::string("\x7f\xc0\x00\x00", 4)), autograd::FileError);
}

BOOST_AUTO_TEST_CASE(labels_of_32_bits_are_those_of_qmnist) {
    const std::string one("\0\0\x0c\x01\0\0\0\x02\0\0\0\x03\0\0\0\x01", 16);
    BOOST_TEST((read(images, one).labels == autograd::Indices{3, 1}));
    std::string eight("\0\0\x0c\x02\0\0\0\x02\0\0\0\x08", 12);
    for (const char digit : {'\x04', '\x02'}) eight += std::string(3, '\0') + digit + std::string(28, '\x01');
    BOOST_TEST((read(images, eight).labels == autograd::Indices{4, 2}));
    refuses(images, one.substr(0, 8) + std::string("\xff\xff\xff\xff\0\0\0\x01", 8), "label -1 of row 0");
    refuses(images, one.substr(0, 8) + std::string("\x7f\xff\xff\xff\0\0\0\x01", 8), "label 2147483647 of row 0");
    eight[11] = '\x04';
    refuses(images, eight.substr(0, 12 + 32), "labels are one byte each");
}

BOOST_AUTO_TEST_CASE(a_file_without_end_is_read_no_further_than_it_says) {
    BOOST_CHECK_THROW(nn::read_idx<double>("/dev/zero", folder.write("labels", labels)), autograd::FileError);
}

BOOST_AUTO_TEST_CASE(refuses_headers_that_lie) {
    const auto with = [](std::string bytes, std::size_t i, char c) {
        bytes[i] = c;
        return bytes;
    };
    refuses("", labels, "not an IDX file");
    refuses("P5 2 3", labels, "not an IDX file");
    refuses(images.substr(0, 9), labels, "header is cut short");
    refuses(images.substr(0, 20), labels, "promises");
    refuses(images + "x", labels, "promises");
    refuses(with(images, 8, '\x7f'), labels, "but 12 follow");
    refuses(with(images, 7, '\0'), labels, "no rows");
    refuses(with(images, 2, '\x07'), labels, "element type 0x07");
    refuses(with(images, 3, '\0'), labels, "header is cut short");
    refuses(images, with(labels, 7, '\x01'), "promises 1 bytes, but more follow");
    refuses(images, std::string("\0\0\x08\x01\0\0\0\x01\0", 9), "2 rows");
    refuses(images, images, "labels are one byte each");
    BOOST_CHECK_THROW(nn::read_idx<float>(folder / "nothing", folder / "nothing"), autograd::FileError);
}

BOOST_AUTO_TEST_CASE(every_mutation_is_read_or_refused) {
    std::mt19937_64 engine(1);
    for (int i = 0; i < 3000; ++i) {
        std::string bytes = images;
        for (int k = 0; k < 2; ++k) bytes[engine() % 20] = static_cast<char>(engine() % 256);
        bytes.resize(engine() % 4 == 0 ? engine() % bytes.size() : bytes.size());
        try {
            read(bytes, labels);
        } catch (const autograd::FileError&) {
        }
    }
}
