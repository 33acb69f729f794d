# What `cmake --install` puts in place: the libraries, their headers under include/deltarule, and what finds them.
include(CMakePackageConfigHelpers)

set(DELTARULE_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/deltarule")

set(DELTARULE_ROOMS autograd)
foreach(room IN ITEMS nn mpi derivation lab)
    if(TARGET ${room})
        list(PREPEND DELTARULE_ROOMS ${room})
    endif()
endforeach()
install(TARGETS ${DELTARULE_ROOMS} EXPORT deltaruleTargets)
install(EXPORT deltaruleTargets NAMESPACE deltarule:: DESTINATION "${DELTARULE_CMAKE_DIR}")
if(DELTARULE_APP)
    install(TARGETS deltarule)
    install(FILES examples/data/digits.csv.gz DESTINATION "${CMAKE_INSTALL_DATADIR}/deltarule")
    install(FILES packaging/deltarule.1 DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
    install(FILES packaging/completion/deltarule DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
    install(FILES packaging/completion/_deltarule DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
endif()
# Public headers stand on the floors of their rooms. Below them is internal, and installed only where their templates need
# it: the test `arrows` reads the list that is written here, and finds what is missing and what is too much.
file(GLOB headers CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/autograd/*.hpp")
if(TARGET nn)
    file(GLOB nn_headers CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/nn/*.hpp")
    list(APPEND headers ${nn_headers})
endif()
if(TARGET mpi)
    list(APPEND headers mpi/world.hpp)
endif()
if(TARGET derivation)
    list(APPEND headers derivation/derivation.hpp derivation/grade.hpp)
endif()
if(TARGET lab)
    list(APPEND headers lab/explained_derivation.hpp lab/player.hpp lab/recording_data.hpp lab/recording_json.hpp lab/recording_text.hpp)
endif()
foreach(header IN ITEMS kernels/broadcast kernels/exponentials kernels/expressions kernels/factorizations kernels/functors kernels/gathers
        kernels/kernel kernels/matrices kernels/moves kernels/registers kernels/rows kernels/sums kernels/transcendental kernels/windows
        memory/arena memory/pool memory/recording memory/reel operations/choices operations/partners)
    list(APPEND headers "autograd/${header}.hpp")
endforeach()
foreach(header IN LISTS headers)
    get_filename_component(room "${header}" DIRECTORY)
    install(FILES "${header}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/deltarule/${room}")
endforeach()
install(FILES "${PROJECT_BINARY_DIR}/include/autograd/config.hpp"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/deltarule/autograd")
# How gdb shows arrays, variables, parameters and tapes.
install(FILES autograd/gdb/deltarule.py DESTINATION "${CMAKE_INSTALL_DATADIR}/deltarule/gdb")
list(JOIN headers "\n" lines)
file(WRITE "${PROJECT_BINARY_DIR}/installed_headers.txt" "${lines}\nautograd/config.hpp\n")

configure_package_config_file(cmake/deltaruleConfig.cmake.in deltaruleConfig.cmake INSTALL_DESTINATION "${DELTARULE_CMAKE_DIR}")
write_basic_package_version_file(deltaruleConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/deltaruleConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/deltaruleConfigVersion.cmake"
        DESTINATION "${DELTARULE_CMAKE_DIR}")

# What the linker needs: the rooms, and behind static ones what they use.
list(TRANSFORM DELTARULE_ROOMS PREPEND -ldeltarule_ OUTPUT_VARIABLE libraries)
list(REMOVE_ITEM libraries -ldeltarule_mpi)  # whose programs are compiled by MPI's own commands
if(NOT BUILD_SHARED_LIBS)
    if(DELTARULE_SYSTEM_LIBRARY)
        list(APPEND libraries -lfmt)
    endif()
    if(TARGET nn)
        list(APPEND libraries -lz)
    endif()
    list(APPEND libraries ${DELTARULE_BLAS_LIBRARIES})
endif()
string(JOIN " " DELTARULE_PC_LIBRARIES ${libraries})
string(JOIN " " DELTARULE_PC_OPTIONS ${DELTARULE_PUBLIC_OPTIONS} ${DELTARULE_SANITIZE_OPTIONS})
file(RELATIVE_PATH DELTARULE_PC_UP "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file(cmake/deltarule.pc.in deltarule.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/deltarule.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
