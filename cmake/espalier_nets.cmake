# Puts the descriptions of nets/ into the library, so that an installed one finds them without a path.
# cmake -DOUTPUT=file.c -DFOLDER=nets -P espalier_nets.cmake
file(GLOB _files ${FOLDER}/*.yaml)
list(SORT _files)
set(_texts "")
set(_table "")
set(_named "")
foreach(_file ${_files})
    get_filename_component(_name ${_file} NAME_WE)
    string(MAKE_C_IDENTIFIER "text_${_name}" _symbol)
    file(READ ${_file} _hex HEX)
    string(LENGTH "${_hex}" _length)
    math(EXPR _bytes "${_length} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," _hex "${_hex}")
    string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n"
           _hex "${_hex}")
    foreach(_key summary paper)
        file(STRINGS ${_file} _${_key} REGEX "^${_key}: " LIMIT_COUNT 1)
        string(REGEX REPLACE "^${_key}: *" "" _${_key} "${_${_key}}")
        string(REPLACE "\"" "\\\"" _${_key} "${_${_key}}")
    endforeach()
    string(APPEND _texts "static const unsigned char ${_symbol}[] = {\n${_hex}\n};\n")
    string(APPEND _table "    { \"${_name}\", ${_symbol}, ${_bytes} },\n")
    # the lines of its "names", each up to the colon
    file(READ ${_file} _text)
    string(REGEX MATCH "\nnames:\n(  [^\n]*\n)+" _block "${_text}")
    string(REGEX MATCHALL "\n  [^:\n]+" _lines "${_block}")
    foreach(_line ${_lines})
        string(STRIP "${_line}" _line)
        string(APPEND _named "    { \"${_line}\", \"${_summary}\", \"${_paper}\" },\n")
    endforeach()
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

static const espl__named_net named[] = {
${_named}};

const espl__named_net *espl__named_net_at(int index)
{
    return index >= 0 && index < ESPL__COUNT(named) ? &named[index] : NULL;
}
")
