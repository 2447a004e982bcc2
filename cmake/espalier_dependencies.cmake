# Libraries, each behind one room (design: a new version of a dependency is one room's work).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS C)
find_package(ZLIB REQUIRED)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)

# Optional ones: what is missing is left out, and `espalier list` says so.
pkg_check_modules(TURBOJPEG IMPORTED_TARGET libturbojpeg)
pkg_check_modules(SPNG IMPORTED_TARGET spng)
pkg_check_modules(WEBP IMPORTED_TARGET libwebp)
pkg_check_modules(LIBZIP IMPORTED_TARGET libzip)
pkg_check_modules(PROTOBUF_C IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(HDF5 IMPORTED_TARGET hdf5)
find_program(PROTOC_C protoc-c)
if(ESPALIER_ONEDNN)
    # Not by its own CMake package: Debian's asks for OpenCL, which only its GPU part needs.
    find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.h)
    find_library(DNNL_LIBRARY dnnl)
    if(DNNL_INCLUDE_DIR AND DNNL_LIBRARY)
        add_library(DNNL::dnnl UNKNOWN IMPORTED)
        set_target_properties(DNNL::dnnl PROPERTIES IMPORTED_LOCATION ${DNNL_LIBRARY}
                              INTERFACE_INCLUDE_DIRECTORIES ${DNNL_INCLUDE_DIR})
        set(dnnl_FOUND TRUE)
    endif()
endif()
