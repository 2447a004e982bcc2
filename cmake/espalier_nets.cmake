# Puts the descriptions of nets/ into the library, so that an installed one finds them without a path.
# cmake -DOUTPUT=file.c -DFOLDER=nets -P espalier_nets.cmake
file(GLOB _files ${FOLDER}/*.yaml)
list(SORT _files)
set(_texts "")
set(_table "")
foreach(_file ${_files})
    get_filename_component(_name ${_file} NAME_WE)
    string(MAKE_C_IDENTIFIER "text_${_name}" _symbol)
    file(READ ${_file} _hex HEX)
    string(LENGTH "${_hex}" _length)
    math(EXPR _bytes "${_length} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," _hex "${_hex}")
    string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n"
           _hex "${_hex}")
    file(STRINGS ${_file} _summary REGEX "^summary: " LIMIT_COUNT 1)
    string(REGEX REPLACE "^summary: *" "" _summary "${_summary}")
    string(REPLACE "\"" "\\\"" _summary "${_summary}")
    string(APPEND _texts "static const unsigned char ${_symbol}[] = {\n${_hex}\n};\n")
    string(APPEND _table "    { \"${_name}\", \"${_summary}\", ${_symbol}, ${_bytes} },\n")
endforeach()
file(WRITE ${OUTPUT} "/* Made from nets/ while building. */
#include \"net/description.h\"

${_texts}
static const espl__builtin all[] = {
${_table}};

const espl__builtin *espl__builtin_at(int index)
{
    return index >= 0 && index < ESPL__COUNT(all) ? &all[index] : NULL;
}
")
