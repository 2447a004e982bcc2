# Build options and the warnings and standard every target gets.
option(ESPALIER_ONEDNN "use oneDNN for dense kernels where it is found" ON)
option(ESPALIER_BENCH "build the benchmark programs" ON)
option(ESPALIER_EXAMPLES "build the example programs" ON)
option(ESPALIER_FUZZ "build the fuzz targets with libFuzzer (clang)" OFF)
option(ESPALIER_WERROR "warnings are errors" OFF)
set(ESPALIER_SANITIZE "" CACHE STRING "sanitizers for everything, e.g. address;undefined")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "build type" FORCE)
endif()

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(espalier_flags INTERFACE)
target_compile_definitions(espalier_flags INTERFACE _GNU_SOURCE)
# Contraction into fused multiply-adds is asked for by name (fma), never left to the compiler: sums
# must come out the same in every variant of a kernel that promises it.
target_compile_options(espalier_flags INTERFACE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings
    -Wno-missing-field-initializers -ffp-contract=off -fno-math-errno
    $<$<BOOL:${ESPALIER_WERROR}>:-Werror>)
if(ESPALIER_SANITIZE)
    string(REPLACE ";" "," _sanitize "${ESPALIER_SANITIZE}")
    target_compile_options(espalier_flags INTERFACE -fsanitize=${_sanitize} -fno-omit-frame-pointer
                           -fno-sanitize-recover=all)
    target_link_options(espalier_flags INTERFACE -fsanitize=${_sanitize})
endif()
if(ESPALIER_FUZZ)
    # Counts of lines beside libFuzzer's own: tools/fuzz says which share of its reader a target reaches.
    set(_fuzz -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping)
    target_compile_options(espalier_flags INTERFACE ${_fuzz})
    target_link_options(espalier_flags INTERFACE ${_fuzz})
endif()
