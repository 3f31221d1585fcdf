# tenant_crm_sync: the commands a person needs. What they do is in tests/stack, tests/demo and tests/run.

# Another PHP: make PHP_CONFIG=/path/of/php-config PHP=/path/of/php
PHP_CONFIG ?= php-config
# A toolchain of rustup's wins over an older one of the distribution. The same PATH as in tests/run: ext-php-rs is built anew where it differs.
export PATH := $(if $(findstring :$(HOME)/.cargo/bin:,:$(PATH):),$(PATH),$(HOME)/.cargo/bin:$(PATH))

target := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
library = $(target)/release/libtenant_crm_sync.so
version = $(shell $(PHP_CONFIG) --version | cut -d. -f1,2)
mods = $(DESTDIR)/etc/php/$(version)/mods-available

.PHONY: all help install demo stranger test contract convergence simulate chaos soak valgrind matrix fuzz bench package release-check hooks supply sbom reproducible clean

##@ Build and install

all: ## Build the extension (installs what is missing on Debian 12, as root)
	@bash tests/stack/deps.sh build
	cargo build --release --locked
	@echo "built: $(library)"

help: ## This list
	@awk -F ':.*## ' '/^##@ / { print "\n" substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

install: ## Copy the extension to PHP and enable it (as root; DESTDIR is honoured)
	@test -f "$(library)" || { echo "error: there is no $(library): run make first" >&2; exit 1; }
	install -D -m 644 "$(library)" "$(DESTDIR)$$($(PHP_CONFIG) --extension-dir)/tenant_crm_sync.so"
	@# The settings are the host's: an existing file stays.
	test -e "$(mods)/tenant_crm_sync.ini" || install -D -m 644 src/php/tenant_crm_sync.ini "$(mods)/tenant_crm_sync.ini"
	test -n "$(DESTDIR)" || phpenmod -v "$(version)" tenant_crm_sync
	@test -n "$(DESTDIR)" || echo "Installed. Restart PHP-FPM: systemctl restart php$(version)-fpm"

package: ## The files of a release in target/dist: .deb, archives, the plugin's zip, list of parts, checksums; PHP_CONFIG=PATH PHP=PATH for another PHP
	@bash tests/stack/deps.sh build package
	@PHP_CONFIG="$(PHP_CONFIG)" bash .ci/package/build

##@ Try it

demo: all ## Start a whole portal with three tenants and sync them; ARGS=--once ends after the table
	@bash tests/stack/deps.sh run
	@cargo build --release --locked --package sandbox-crm
	@bash tests/demo/run $(ARGS)

stranger: ## Type README's path from nothing to a first sync in a clean Debian root (as long as the compiler takes); CARGO=FOLDER keeps what it builds
	@bash tests/stranger/run

##@ Test

test: ## Run all tests; ARGS="fpm phpt" runs some; SEED_ARTICLE=PATH and SPECS=DIR: see README
	@bash tests/stack/deps.sh build
	@# apt fetches the rest while the compiler works.
	@bash tests/stack/deps.sh run test browser & apt=$$!; $(MAKE) --no-print-directory all && wait $$apt
	@bash tests/run $(ARGS)

contract: all ## Let the CRMs' own OpenAPI files judge both sides: SPECS=DIR, or SPEC=FILE CONNECTOR=NAME
	@bash tests/stack/deps.sh run browser
	@cargo build --release --locked --package sandbox-crm
	@bash tests/contract/run $(if $(SPECS),SPECS=$(SPECS)) $(if $(SPEC),SPEC=$(SPEC) CONNECTOR=$(CONNECTOR))

convergence: all ## Random schedules of two-way sync on the real stack: SEEDS=N of them, FROM=SEED on; SEED=SEED one, told step by step
	@bash tests/stack/deps.sh run
	@cargo build --release --locked --package sandbox-crm
	@SEEDS=$(SEEDS) FROM=$(FROM) SEED=$(SEED) bash tests/run convergence

simulate: ## The curve of 1,000 to 10,000 tenants on 2 to 20 hosts, in virtual time (minutes); SEED=7 runs another
	@bash tests/stack/deps.sh build
	SEED=$(SEED) cargo test --quiet --locked --no-default-features --test simulation curve -- --ignored --nocapture

fuzz: all ## Feed every parser of hostile bytes with mutated inputs: MINUTES=2, SEED=7 begins elsewhere; the first time builds libFuzzer (minutes)
	@bash tests/fuzz/guided/run $$(( $(or $(MINUTES),2) * 45 )) $(or $(SEED),1)
	@TCS_EXTENSION=$(library) bash tests/fuzz/json $$(( $(or $(MINUTES),2) * 15 )) $(or $(SEED),1)

chaos: all ## Break everything that can break under a whole portal, and see that nothing is lost (minutes); CASES="fpm disk", CHAOS_SEED=N
	@bash tests/stack/deps.sh run test
	@cargo build --release --locked --package sandbox-crm
	@CHAOS=long CASES="$(CASES)" CHAOS_SEED=$(CHAOS_SEED) bash tests/run chaos

soak: all ## Workers under load for MINUTES=5, then CALLS=1000000 requests and a million other calls: does anything grow?
	@bash tests/stack/deps.sh run test
	@cargo build --release --locked --package sandbox-crm
	@MINUTES=$(or $(MINUTES),5) CALLS=$(or $(CALLS),1000000) EACH=250000 bash tests/run soak

valgrind: all ## The phpt tests under valgrind (minutes)
	@bash tests/stack/deps.sh run test valgrind
	@cargo build --release --locked --package sandbox-crm
	@bash tests/run valgrind

matrix: all ## The tests on PHP 8.2, 8.4, 8.5 and WordPress 6.1, 6.8, 7.1 (hours); PAIRS="8.5/7.1 newest/newest", SUITES="phpt jit wordpress quiet network"
	@bash tests/stack/deps.sh run test
	@cargo build --release --locked --package sandbox-crm
	@SUITES="$(SUITES)" bash tests/matrix/run $(PAIRS)

##@ Measure

bench: all ## Measure beside Guzzle, Symfony, curl_multi and hyper (25 minutes, on a quiet machine); QUICK=1: 3 minutes; CASES="pages call"
	@bash tests/stack/deps.sh run bench
	@cargo build --release --locked --package sandbox-crm
	@cargo build --release --locked --package hyper-limit
	@QUICK=$(QUICK) BUSY=$(BUSY) SMOKE=$(SMOKE) SEED_ARTICLE=$(SEED_ARTICLE) BENCH_JSON=$(target)/bench.json bash tests/bench/run $(CASES)

##@ Release it

release-check: package ## Look at what make package has made before it is released: versions, symbols, glibc, PIE, the .deb in a clean Debian and more (minutes); CHECKS="deb quiet"
	@bash tests/stack/deps.sh run test
	@cargo build --release --locked --package sandbox-crm
	@CHECKS="$(CHECKS)" bash tests/release/run

##@ Look after it

hooks: ## Have git look at the changed files before each commit (seconds): rustfmt, php -l, phpcs, shellcheck, prettier
	@bash tests/lint/pre-commit --install

supply: ## Licences, sources, known weaknesses and pinned versions of all parts
	@bash tests/stack/deps.sh build test
	@bash tests/supply/run

sbom: ## The list of all parts of the .so (CycloneDX): target/sbom.json
	@mkdir -p $(target) && tests/supply/sbom >$(target)/sbom.json && echo "written: $(target)/sbom.json"

reproducible: ## Make the files of a release twice in different folders and compare them (minutes)
	@bash tests/stack/deps.sh build package
	@PHP_CONFIG="$(PHP_CONFIG)" bash tests/supply/reproducible

clean: ## Remove what was built
	cargo clean
