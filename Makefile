# SPDX-License-Identifier: MIT
# 'make help' prints the targets that have a comment after '##'. Each step's
# program is built beside its source, and everything else in .build. V=1 prints
# the compiler's command lines.

# make -R does not set it.
CC ?= cc
CFLAGS = -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 \
	-fstack-protector-strong -fPIE
LDFLAGS = -pie -Wl,-z,relro,-z,now
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2 -Wvla -Wwrite-strings \
	-Wpointer-arith -Wcast-qual -Wundef
ALL_CFLAGS = -std=c11 $(WARNINGS) -Icommon -MMD -MP $(CFLAGS)

# The directories for object files and for programs. 'make asan' has its own.
BUILD = .build
BIN = .

ROOTFS = rootfs/tiny-linux
# A pattern would also match a step that a reader has copied.
STEPS = step01-chroot step02-proc step03-unshare step04-pidns step05-overlay \
	step06-veth step07-bridge-nat
PROBES = $(addprefix .build/probes/,peek escape reach pty readme snapshot start)
TOOLS = .build/tools/sandbox
UNITS = .build/probes/netlink-test .build/probes/nftables-test
BENCH = .build/bench/compare .build/bench/floor
SOURCES = $(wildcard step*/container.c common/*.c common/*/*.c)

# These count only on make's command line. In the environment they may mean
# something else: tcsh and conda set HOST.
ARGUMENTS = AGAINST APPLY CMD EX HINT HOST OPTS PACKET STEP TARBALL V
$(foreach name,$(ARGUMENTS),$(if \
	$(filter-out command,$(firstword $(origin $(name)))), \
	$(eval override $(name) :=)))
unexport PROBES # means something else to the tests

# STEP may be 4, 04 or step04-pidns.
step = $(or $(firstword \
	$(filter step$(STEP)-% step0$(STEP)-% $(STEP),$(STEPS))), \
	$(error which step? For example STEP=04))

# The source of the step before
before = $(lastword $(sort $(shell \
	printf '%s/container.c\n' $(STEPS) | sed '/$(step)/,$$d')))

# With STEP, the other steps do not have to compile.
NEEDED = $(if $(STEP),.build/original $(step) $(PROBES) $(TOOLS),all)

# The check of an exercise needs these, but not the steps: they may not compile.
CHECKER = .build/original .build/common/error.o .build/common/netlink.o \
	.build/common/nftables.o $(PROBES) $(TOOLS) rootfs
EXERCISE_FLAGS = CFLAGS='$(filter-out -MMD -MP,$(ALL_CFLAGS)) $(LDFLAGS)'
EXERCISE = $(EXERCISE_FLAGS) sh common/tools/exercise

# Passed to the shell in its environment, so that make does not expand a $ in
# them.
override CMD := $(value CMD)
override ROOTFS := $(value ROOTFS)
override TARBALL := $(value TARBALL)
export CMD ROOTFS TARBALL

all: .build/original $(STEPS:%=$(BIN)/%/container) $(PROBES) $(TOOLS) ## build all the steps

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' Makefile | \
	while read -r target text; do printf '%-14s %s\n' "$$target" "$$text"; done
	@echo 'make stepNN-NAME builds one step.'
	@echo 'make run accepts ROOTFS=DIR, OPTS=-v, and HOST=1: no sandbox.'
	@echo 'All these count only on the command line of make. These may also be set'
	@echo 'in the environment: CC; ROUNDS of bench; for tests and checks TESTS, JOBS,'
	@echo 'PATIENCE, CI (common/test/run --help); BUSYBOX (common/tools/rootfs --help).'

demo: $(NEEDED) $(if $(STEP),$(before:%.c=$(BIN)/%)) rootfs ## show every step at work, or walk through one: STEP=06
	@sh common/tools/tour "$$ROOTFS" $(STEP)

run: $(NEEDED) rootfs ## start a shell in the container of STEP=NN, or run CMD='ls /'
	@$(if $(HOST),$(ON_HOST),sh common/tools/sandbox --share) $(BIN)/$(step)/container \
		$(OPTS) $(root) $${CMD:+sh -c "$$CMD"} || $(FAILED)

shell: all rootfs ## start a root shell in the sandbox; a second one joins it
	@if sh common/tools/sandbox --join true 2>/dev/null; then \
		echo 'This shell joins the sandbox that is running.' >&2; \
		sh common/tools/sandbox --join; \
	else \
		sh common/tools/sandbox --share; \
	fi || $(FAILED)

test: all rootfs $(UNITS) ## run the tests; does not require root
	@BIN=$(BIN) sh common/test/run $(TESTS)

diff: ## show what STEP=NN adds to the step before
	@diff -u $(or $(before),/dev/null) $(step)/container.c || :

rootfs: $(PROBES) ## build rootfs/tiny-linux, or unpack TARBALL=FILE
	@sh common/tools/rootfs $${TARBALL:+--tarball "$$TARBALL"} \
		$(if $(filter rootfs,$(MAKECMDGOALS)),,>/dev/null)

alpine: $(PROBES) ## download the articles' Alpine into rootfs/alpine-linux
	@sh common/tools/rootfs --alpine

inspect: ## describe the running containers in JSON, as docker inspect does
	@sh common/tools/inspect

check-host: ## see whether all steps run here; PACKET=1, as root, sends a packet
	@sh common/tools/check-host --tools
	@$(MAKE) --silent all rootfs >/dev/null
	@sh common/tools/check-host $(if $(PACKET),--packet)

exercises: $(CHECKER) ## list the exercises, and mark those that are solved
	@$(EXERCISE) list

exercise: .build/original ## show the task of EX=4.2, or one of its hints: HINT=1
	@$(EXERCISE) show $(EX) $(HINT)

check: $(CHECKER) ## check your solution of EX=4.2
	@$(EXERCISE) check $(EX) || case $$? in 1 | 77) ;; *) exit 2 ;; esac

solution: .build/original ## show a solution of EX=4.2, or copy it: APPLY=1
	@$(EXERCISE) solution $(EX) $(if $(APPLY),apply)

reset: .build/original ## restore the files of STEP=04
	@$(EXERCISE) reset $(step)

test-exercises: all rootfs ## run the checks on right and wrong solutions
	@$(EXERCISE_FLAGS) sh common/test/exercises $(EX)

# After a change in a step, or in a file that it names.
refresh: ## merge what changed in the steps into the solutions
	@sh common/tools/refresh $(EX)

# In a tree without git, `make reset` restores what the first make found.
.build/original:
	@mkdir -p $@ && cp --parents $(STEPS:%=%/container.c) $@

# Without the leak checker: it does not work in new namespaces, and the programs
# leave their memory to exit(3).
asan: all ## run the tests under the address and undefined sanitizers
	+ASAN_OPTIONS=detect_leaks=0 $(MAKE) BUILD=.build/asan BIN=.build/asan LDFLAGS= CFLAGS='-O1 -g \
	-fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all' test

tidy: ## run clang-tidy
	clang-tidy --quiet --warnings-as-errors='*' $(SOURCES) -- \
		-std=c11 -Icommon

analyze: ## run gcc's analyzer and cppcheck
	for source in $(SOURCES); do \
		$(CC) -std=c11 -Icommon -O2 -fanalyzer -Werror -c \
			-o .build/analyzed.o "$$source" || exit 1; \
	done
	cppcheck --quiet --std=c11 -Icommon --enable=warning,portability \
		--inline-suppr --error-exitcode=1 $(SOURCES)

format: ## run clang-format on all the C
	clang-format -i $(SOURCES) $(wildcard common/*.h)

bench: all rootfs $(BENCH) ## compare the speed with other programs or with AGAINST=CHECKOUT
	@sh common/bench/run "$$ROOTFS" $(if $(AGAINST),'$(AGAINST)')

# The last container to exit removes what killed launchers left behind.
clean-host: step07-bridge-nat rootfs ## remove what killed launchers left behind; requires root
	@$(BIN)/step07-bridge-nat/container rootfs/tiny-linux true

clean: ## remove what was built, except rootfs and the originals
	rm -rf $(filter-out .build/original .build/yours,$(wildcard .build/*)) \
		$(STEPS:%=%/container)

$(STEPS): %: $(BIN)/%/container

QUIET = $(if $(V),,@echo '  CC      $@';)

USER_ID := $(shell id -u)
ON_HOST = echo 'HOST=1: this is your own machine, not the sandbox' >&2; \
	$(if $(filter-out 0,$(USER_ID)),sudo)

# make prints the status of a command, "Error 3", and exits with 2. That would
# confuse after a shell, whose status is that of the last command typed in it.
FAILED = case $$?:$$CMD in 12[5-7]:|*:?*) exit $$? ;; esac

# Steps 05 to 07 take several layers, with ':' between them.
root = $(if $(filter step05-% step06-% step07-%,$(step)),$(layer),"$$ROOTFS")
layer = "$$(printf %s "$$ROOTFS" | sed 's/[\\:,]/\\&/g')"

# Root builds as the owner of the checkout, who can then remove what was built.
ifeq ($(USER_ID),0)
OWNER := $(filter-out --reuid=0,\
	$(join --reuid= --regid=,$(shell stat -c '%u %g' .)))
ifneq ($(filter --reuid=%,$(OWNER)),)
%/container .build/% $(if $(TARBALL),,rootfs): SHELL = setpriv
%/container .build/% $(if $(TARBALL),,rootfs): .SHELLFLAGS = \
	$(OWNER) --clear-groups sh -c
endif
endif

# The helpers that a step needs besides error.o.
$(BIN)/step06-veth/container: $(BUILD)/common/netlink.o
$(BIN)/step07-bridge-nat/container: $(BUILD)/common/netlink.o \
	$(BUILD)/common/nftables.o

$(BIN)/%/container: $(BUILD)/%/container.o $(BUILD)/common/error.o
	@mkdir -p $(@D)
	$(QUIET)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(QUIET)$(CC) $(ALL_CFLAGS) -c -o $@ $<

.build/bench/floor: .build/common/error.o .build/common/netlink.o \
	.build/common/nftables.o

.build/bench/%: .build/common/bench/%.o
	@mkdir -p $(@D)
	$(QUIET)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^

# Static if possible: then they run in any root filesystem.
.build/probes/%: common/tools/%.c Makefile
	@mkdir -p $(@D)
	$(QUIET)$(CC) $(ALL_CFLAGS) -static -o $@ $< 2>/dev/null || \
		$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $<

.build/tools/%: .build/common/tools/%.o .build/common/error.o \
		.build/common/netlink.o
	@mkdir -p $(@D)
	$(QUIET)$(CC) $(LDFLAGS) -o $@ $^

.build/probes/%: common/test/%.c Makefile
	@mkdir -p $(@D)
	$(QUIET)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.c %.o,$^)

.build/probes/snapshot .build/probes/nftables-test: .build/common/netlink.o \
	.build/common/error.o
.build/probes/nftables-test: .build/common/nftables.o

# With the sanitizers where the compiler has them.
.build/probes/netlink-test: common/test/netlink-test.c $(wildcard common/*.[ch])
	@mkdir -p $(@D)
	$(QUIET)$(CC) -std=c11 -g -Icommon -fsanitize=address,undefined -o $@ \
		$(filter %.c,$^) 2>/dev/null || \
		$(CC) -std=c11 -g -Icommon -o $@ $(filter %.c,$^)

-include $(wildcard .build/*/*.d .build/*/*/*.d .build/*/*/*/*.d)

.PHONY: all help demo run shell test diff rootfs alpine inspect check-host exercises \
	exercise check solution reset test-exercises refresh asan tidy analyze format \
	bench clean-host clean $(STEPS)
.DELETE_ON_ERROR:
.SECONDARY:
