# `cmake --build BUILD --target dist`: what git has of the last commit, as deltarule-VERSION.tar.gz in the build tree.
find_package(Git QUIET)
set(dist_name "deltarule-${PROJECT_VERSION}")
if(GIT_FOUND AND EXISTS "${PROJECT_SOURCE_DIR}/.git")
    # The same commit gives the same bytes: gzip is told no time.
    add_custom_target(dist VERBATIM WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
                      COMMAND "${GIT_EXECUTABLE}" -c tar.tar.gz.command=gzip\ -cn archive "--prefix=${dist_name}/"
                              "--output=${PROJECT_BINARY_DIR}/${dist_name}.tar.gz" HEAD
                      COMMAND "${CMAKE_COMMAND}" -E echo "${PROJECT_BINARY_DIR}/${dist_name}.tar.gz")
else()
    add_custom_target(dist VERBATIM COMMAND "${CMAKE_COMMAND}" -E echo "dist packs a commit: the sources are not in a git repository."
                      COMMAND "${CMAKE_COMMAND}" -E false)
endif()
