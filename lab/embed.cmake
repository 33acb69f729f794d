# cmake -DFOLDER=lab/player -DOUTPUT=player_files.cpp -P embed.cmake: the files of the page as strings of C++.
set(source "#include <lab/player_files.hpp>\n\nnamespace lab {\n\n")
foreach(kind IN ITEMS html css js)
    file(READ "${FOLDER}/player.${kind}" text)
    string(APPEND source "const std::string_view player_${kind} = R\"!file!(${text})!file!\";\n")
endforeach()
string(APPEND source "\n}  // namespace lab\n")
file(WRITE "${OUTPUT}" "${source}")
