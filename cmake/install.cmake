# What `cmake --install` puts in place: the libraries, their headers under include/deltarule, and what finds them.
include(CMakePackageConfigHelpers)

set(DELTARULE_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/deltarule")

install(TARGETS autograd nn derivation EXPORT deltaruleTargets)
install(EXPORT deltaruleTargets NAMESPACE deltarule:: DESTINATION "${DELTARULE_CMAKE_DIR}")
if(DELTARULE_APP)
    install(TARGETS deltarule)
    install(FILES examples/data/digits.csv.gz DESTINATION "${CMAKE_INSTALL_DATADIR}/deltarule")
endif()
foreach(room IN ITEMS autograd nn)
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/${room}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/deltarule"
            FILES_MATCHING PATTERN "*.hpp" PATTERN files.hpp EXCLUDE PATTERN check EXCLUDE)
endforeach()
install(FILES derivation/derivation.hpp DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/deltarule/derivation")
install(FILES "${PROJECT_BINARY_DIR}/include/autograd/config.hpp"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/deltarule/autograd")

configure_package_config_file(cmake/deltaruleConfig.cmake.in deltaruleConfig.cmake INSTALL_DESTINATION "${DELTARULE_CMAKE_DIR}")
write_basic_package_version_file(deltaruleConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/deltaruleConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/deltaruleConfigVersion.cmake"
        DESTINATION "${DELTARULE_CMAKE_DIR}")

string(JOIN " " DELTARULE_PC_OPTIONS ${DELTARULE_PUBLIC_OPTIONS} ${DELTARULE_SANITIZE_OPTIONS})
file(RELATIVE_PATH DELTARULE_PC_UP "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file(cmake/deltarule.pc.in deltarule.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/deltarule.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
