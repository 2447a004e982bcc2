# cmake --install: program, libraries, headers, a pkg-config file, a CMake package and the man pages.
include(CMakePackageConfigHelpers)
set(_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/espalier)

if(TARGET espalier)
    install(TARGETS espalier RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(TARGET espalier-read-h5)
    install(TARGETS espalier-read-h5 RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/espalier)
endif()
install(DIRECTORY include/espalier DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING
        PATTERN "*.h" PATTERN "*.def")

# Two sets of targets: who links the shared library needs none of the libraries behind it, so only
# espalier::static looks for them.
foreach(_kind shared static)
    install(TARGETS espalier_${_kind} EXPORT espalier_${_kind}
            LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(EXPORT espalier_${_kind} NAMESPACE espalier:: DESTINATION ${_package_dir}
            FILE espalier_${_kind}.cmake)
endforeach()
set_target_properties(espalier_shared PROPERTIES EXPORT_NAME espalier)
set_target_properties(espalier_static PROPERTIES EXPORT_NAME static)

# What a program needs in addition when it links the static library. The libraries behind it are linked
# as they are here, shared: to ask their own .pc files for static ones would drag in what they hide.
set(ESPALIER_MODULES "")
set(ESPALIER_PC_LIBS "")
foreach(_pair YAML=yaml-0.1 JANSSON=jansson XXHASH=libxxhash TURBOJPEG=libturbojpeg SPNG=spng WEBP=libwebp
        LIBZIP=libzip PROTOBUF_C=libprotobuf-c)
    string(REGEX REPLACE "=.*" "" _name ${_pair})
    if(PkgConfig::${_name} IN_LIST ESPALIER_LIBRARIES)
        string(APPEND ESPALIER_MODULES " ${_pair}")
        list(APPEND ESPALIER_PC_LIBS ${${_name}_LDFLAGS})
    endif()
endforeach()
string(STRIP "${ESPALIER_MODULES}" ESPALIER_MODULES)
list(REMOVE_DUPLICATES ESPALIER_PC_LIBS)
foreach(_folder ${CMAKE_C_IMPLICIT_LINK_DIRECTORIES})
    list(REMOVE_ITEM ESPALIER_PC_LIBS -L${_folder})
endforeach()
string(REPLACE ";" " " ESPALIER_PC_LIBS "${ESPALIER_PC_LIBS};-lz;${OpenMP_C_FLAGS};-lpthread;-lm")
set(ESPALIER_HAS_ONEDNN OFF)
if(DNNL::dnnl IN_LIST ESPALIER_LIBRARIES)
    string(PREPEND ESPALIER_PC_LIBS "-ldnnl ")
    set(ESPALIER_HAS_ONEDNN ON)
endif()

# The .pc file finds the prefix from its own place, so that the tree may be moved as a whole.
file(RELATIVE_PATH _up ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" _up "${_up}")
set(ESPALIER_PC_PREFIX "\${pcfiledir}/${_up}")
foreach(_kind LIBDIR INCLUDEDIR)
    set(ESPALIER_PC_${_kind} "\${prefix}/${CMAKE_INSTALL_${_kind}}")
    if(IS_ABSOLUTE "${CMAKE_INSTALL_${_kind}}")
        set(ESPALIER_PC_${_kind} "${CMAKE_INSTALL_${_kind}}")
    endif()
endforeach()
configure_file(cmake/espalier.pc.in espalier.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/espalier.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_package_config_file(cmake/espalierConfig.cmake.in espalierConfig.cmake
                              INSTALL_DESTINATION ${_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/espalierConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/espalierConfig.cmake ${PROJECT_BINARY_DIR}/espalierConfigVersion.cmake
        DESTINATION ${_package_dir})

# The pages of section 3 are made from the public headers, those of section 1 by the program (man/).
file(GLOB _headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/espalier/*.h)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${_headers} ${PROJECT_SOURCE_DIR}/tools/manual)
execute_process(COMMAND sh ${PROJECT_SOURCE_DIR}/tools/manual ${PROJECT_BINARY_DIR}/man3
                RESULT_VARIABLE _failed)
if(_failed)
    message(WARNING "tools/manual failed: the pages of the library's functions are left out")
else()
    install(DIRECTORY ${PROJECT_BINARY_DIR}/man3/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man3
            FILES_MATCHING PATTERN "*.3")
endif()
foreach(_section 5 7)
    file(GLOB _pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/man/*.${_section})
    install(FILES ${_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${_section})
endforeach()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
