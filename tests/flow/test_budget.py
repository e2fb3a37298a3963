"""The cap: nothing is sent that could pass it, whoever dies; and what the report says of money is what was billed."""
import os
import random
import signal
import subprocess
import time

from sheaf_test import PrivateRedis, SheafTest, main_in_slices, program, request_line

# gpt-4o-mini through the Batch API, nano-dollars a token: half of 0.15 and 0.60 for a million.
IN, OUT = 75, 300
NANO = 10**9


def usd(nano):
    return "%d.%09dUSD" % (nano // NANO, nano % NANO)


class BudgetTest(SheafTest):
    def requests(self, n, model="gpt-4o-mini"):
        """Digits are many tokens for their bytes: the estimate is never below what the simulator counts."""
        rng = random.Random(7)
        return [request_line("row-%d" % i, " ".join(str(rng.randrange(10)) for _ in range(150)), model=model,
                             max_tokens=60) for i in range(n)]

    @staticmethod
    def bill(simulator):
        ledger = simulator.ledger()
        return ledger["input_tokens"] * IN + ledger["output_tokens"] * OUT

    def cost(self, name="out.report.json"):
        return self.report(name)["cost"]

    def run_capped(self, simulator, source, cap, *flags, **options):
        return self.run_job(simulator, source, self.path("out.jsonl"), "--max-requests", "40", "--state-dir",
                            self.path("state"), *(["--max-cost", cap] if cap else []), *flags, **options)

    def test_at_the_cap_the_job_holds_and_with_a_higher_one_it_goes_on(self):
        simulator = self.simulator()
        requests = self.requests(400)
        source = self.write("in.jsonl", requests)
        cap = 5 * 10**6
        code, out, err = self.run_capped(simulator, source, usd(cap))
        self.assertEqual(code, 6, err)
        billed = self.bill(simulator)
        self.assertLessEqual(billed, cap)
        self.assertGreater(billed, cap // 2)
        self.assertFalse(os.path.exists(self.path("out.jsonl")))
        code, out, err = self.run_capped(simulator, source, usd(cap))  # no more than before
        self.assertEqual(code, 6, err)
        self.assertLessEqual(self.bill(simulator), cap)
        code, out, err = self.run_capped(simulator, source, "1USD")
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        cost = self.cost()
        self.assertEqual(cost["total_nano"], self.bill(simulator))
        self.assertEqual(cost["currency"], "USD")
        self.assertEqual(cost["realtime_nano"], 2 * cost["total_nano"])
        self.assertEqual(cost["unknown_models"], [])
        self.assertEqual([m["model"] for m in cost["by_model"]], ["gpt-4o-mini"])
        self.assertEqual(cost["by_model"][0]["requests"], 400)
        self.assertEqual(sum(day["nano"] for day in cost["by_day"]), cost["total_nano"])
        self.assertEqual(simulator.ledger()["billed_twice"], 0)

    def test_a_cap_that_is_enough_never_holds(self):
        simulator = self.simulator()
        requests = self.requests(200)
        code, _, err = self.run_capped(simulator, self.write("in.jsonl", requests), "0.02USD")
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        self.assertLessEqual(self.cost()["total_nano"], 20 * 10**6)

    def test_no_cap_counts_all_the_same(self):
        simulator = self.simulator()
        requests = self.requests(50)
        code, _, err = self.run_capped(simulator, self.write("in.jsonl", requests), None)
        self.assertEqual(code, 0, err)
        self.assertEqual(self.cost()["total_nano"], self.bill(simulator))

    def test_a_cap_in_another_currency_is_converted(self):
        simulator = self.simulator()
        config = self.path("sheaf.yaml")
        with open(config, "w") as f:
            f.write("prices: {fx: {USDCNY: 8, as_of: 2026-11-20}}\n")
        requests = self.requests(200)
        source = self.write("in.jsonl", requests)
        code, _, err = self.run_capped(simulator, source, "0.02CNY", "--config", config)  # 0.0025 USD
        self.assertEqual(code, 6, err)
        self.assertLessEqual(self.bill(simulator), 2500000)
        self.assertGreater(self.bill(simulator), 1000000)
        code, _, err = self.run_capped(simulator, source, "8CNY", "--config", config)
        self.assertEqual(code, 0, err)
        cost = self.cost()
        self.assertEqual(cost["currency"], "USD")
        self.assertEqual(cost["fx"]["cny_nano"], 8 * cost["total_nano"])
        self.assertEqual(cost["fx"]["as_of"], "2026-11-20")

    def test_what_is_billed_in_cny(self):
        simulator = self.simulator()
        config = self.path("sheaf.yaml")
        with open(config, "w") as f:
            f.write("prices: {models: {glm-x: {provider: openai, currency: CNY, input: 2, output: 8, batch_factor: 0.5,"
                    " checked: 2026-11-20}}}\n")
        requests = self.requests(60, model="glm-x")
        code, _, err = self.run_capped(simulator, self.write("in.jsonl", requests), "1CNY", "--config", config)
        self.assertEqual(code, 0, err)
        ledger, cost = simulator.ledger(), self.cost()
        self.assertEqual(cost["currency"], "CNY")
        self.assertEqual(cost["total_nano"], ledger["input_tokens"] * 1000 + ledger["output_tokens"] * 4000)

    def test_a_free_model_needs_no_money_and_costs_nothing(self):
        simulator = self.simulator()
        config = self.path("sheaf.yaml")
        with open(config, "w") as f:
            f.write("prices: {models: {gratis: {provider: openai, currency: USD, input: 0, output: 0,"
                    " checked: 2026-11-20}}}\n")
        requests = self.requests(60, model="gratis")
        code, _, err = self.run_capped(simulator, self.write("in.jsonl", requests), "0USD", "--config", config)
        self.assertEqual(code, 0, err)
        cost = self.cost()
        self.assertEqual((cost["total_nano"], cost["total"], cost["unknown_models"]), (0, "0.000000000", []))

    def test_a_model_without_a_price_is_refused_under_a_cap_and_unknown_without(self):
        simulator = self.simulator()
        requests = self.requests(30, model="nobody-knows")
        source = self.write("in.jsonl", requests)
        code, _, err = self.run_capped(simulator, source, "5USD")
        self.assertEqual(code, 2, err)
        self.assertIn("nobody-knows", err)
        self.assertIn("prices:", err)
        self.assertEqual(simulator.ledger()["rows_executed"], 0)
        code, _, err = self.run_capped(simulator, source, None)
        self.assertEqual(code, 0, err)
        cost = self.cost()
        self.assertEqual((cost["total"], cost["total_nano"], cost["realtime"]), (None, None, None))
        self.assertEqual(cost["unknown_models"], ["nobody-knows"])
        self.assertIsNone(cost["by_model"][0]["nano"])
        self.assertGreater(cost["by_model"][0]["prompt_tokens"], 0)

    def test_a_price_given_later_lets_the_job_go_on_under_a_cap(self):
        simulator = self.simulator()
        requests = self.requests(30, model="nobody-knows")
        source = self.write("in.jsonl", requests)
        self.assertEqual(self.run_capped(simulator, source, "5USD")[0], 2)
        config = self.path("sheaf.yaml")
        with open(config, "w") as f:
            f.write("prices: {models: {nobody-knows: {provider: openai, currency: USD, input: 0.15, output: 0.6,"
                    " batch_factor: 0.5, checked: 2026-11-20}}}\n")
        code, _, err = self.run_capped(simulator, source, "5USD", "--config", config)
        self.assertEqual(code, 0, err)
        self.assertEqual(self.cost()["total_nano"], self.bill(simulator))

    def lose_redis(self):
        for folder, _, files in os.walk(self.path("state")):
            for name in files:
                if "appendonly" in name or name.endswith((".aof", ".rdb", ".manifest")):
                    os.unlink(os.path.join(folder, name))

    def test_a_redis_that_is_lost_forgets_no_money(self):
        simulator = self.simulator()
        requests = self.requests(400)
        source = self.write("in.jsonl", requests)
        cap = 5 * 10**6
        self.assertEqual(self.run_capped(simulator, source, usd(cap))[0], 6)
        before = self.bill(simulator)
        self.lose_redis()
        self.assertEqual(self.run_capped(simulator, source, usd(cap))[0], 6)
        self.assertLessEqual(self.bill(simulator), cap)
        self.assertGreaterEqual(self.bill(simulator), before)
        code, _, err = self.run_capped(simulator, source, "1USD")
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        self.assertEqual(self.cost()["total_nano"], self.bill(simulator))

    def test_what_failed_and_is_sent_again_is_counted_once_for_each_time_that_it_was_billed(self):
        simulator = self.simulator()
        simulator.arm("rows-failed=0.3")
        requests = self.requests(200)
        code, _, err = self.run_capped(simulator, self.write("in.jsonl", requests), "1USD")
        self.assertIn(code, (0, 3), err)
        cost = self.cost()
        self.assertEqual(cost["total_nano"], self.bill(simulator))

    def prices(self, text):
        with open(self.path("sheaf.yaml"), "w") as f:
            f.write("prices: {models: {%s}}\n" % text)
        return "--config", self.path("sheaf.yaml")

    def mixed(self, seed):
        """One request of forty-two may cost as much as all the others together."""
        lines = [request_line("s%d" % i, "x%d seed %d" % (i, seed), model="m", max_tokens=1, sim_answer="a")
                 for i in range(20)]
        lines += [request_line("big", "big %d" % seed, model="m", max_tokens=10000, sim_answer="b" * 40000)]
        return lines + [request_line("t%d" % i, "y%d seed %d" % (i, seed), model="m", max_tokens=400,
                                     sim_answer="c" * 1600) for i in range(21)]

    def test_the_large_request_that_failed_is_reserved_for_as_it_is(self):
        flags = self.prices("m: {currency: USD, input: 0, output: 1}")
        simulator = self.simulator("--fault", "rows-500=0.03:once")  # of seed 32: just the large one
        cap = 10100000
        source = self.write("in.jsonl", self.mixed(32))
        code, _, err = self.run_job(simulator, source, self.path("out.jsonl"), "--max-requests", "84", "--max-cost",
                                    usd(cap), *flags)
        ledger = simulator.ledger()
        self.assertLessEqual(ledger["output_tokens"] * 1000, cap)
        self.assertEqual(ledger["rows_failed"], 1)
        self.assertEqual(code, 6, err)
        self.assertIn("1 requests are left", err)

    def test_amounts_beyond_all_reason_lose_no_row(self):
        flags = self.prices("m: {currency: USD, input: 0, output: 1000}")
        simulator = self.simulator()
        requests = [request_line("t%d" % i, "y%d" % i, model="m", max_tokens=4294967295) for i in range(3000)]
        source = self.write("in.jsonl", requests)
        code, _, err = self.run_job(simulator, source, self.path("out.jsonl"), "--max-requests", "100", *flags)
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        code, _, err = self.run_job(simulator, source, self.path("out.jsonl"), "--max-cost", "9007200USD", *flags)
        self.assertEqual(code, 2, err)
        self.assertIn("9,007,199 USD", err)

    def test_the_currency_is_that_of_what_is_under_way(self):
        flags = self.prices("m: {currency: USD, input: 0, output: 1}")
        simulator = self.simulator("--delay", "3s")
        source = self.write("in.jsonl", [request_line("t%d" % i, "y%d" % i, model="m", max_tokens=10)
                                         for i in range(80)])
        words = self.run_words(simulator, source, self.path("out.jsonl"), "--max-requests", "40", *flags)
        process = subprocess.Popen([program("sheaf"), *words, "--max-cost", "1USD"], env=self.environment(),
                                   cwd=self.folder, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        end = time.monotonic() + 20
        while not simulator.ledger()["batches_created"] and time.monotonic() < end:
            time.sleep(.1)
        process.terminate()
        process.wait()
        self.prices("m: {provider: openai, currency: CNY, input: 0, output: 7.25}")
        code, _, err = self.sheaf(*words, "--max-cost", "0.2CNY")
        self.assertEqual(code, 12, err)
        self.assertIn("USD, or batches of it are under way", err)
        self.prices("m: {currency: USD, input: 0, output: 1}")
        code, _, err = self.sheaf(*words, "--max-cost", "1USD")
        self.assertEqual(code, 0, err)

    def test_bills_in_another_currency_are_not_forgotten_with_redis(self):
        flags = self.prices("m: {currency: USD, input: 0, output: 1}")
        simulator = self.simulator()
        source = self.write("in.jsonl", [request_line("t%d" % i, "y%d" % i, model="m", max_tokens=100)
                                         for i in range(400)])
        self.assertEqual(self.run_capped(simulator, source, "0.005USD", *flags)[0], 6)
        self.lose_redis()
        self.prices("m: {provider: openai, currency: CNY, input: 0, output: 7.25}")
        code, _, err = self.run_capped(simulator, source, "1CNY", *flags)
        self.assertEqual(code, 12, err)
        self.assertIn("by the bills in its sink the job has spent money in USD", err)
        self.prices("m: {currency: USD, input: 0, output: 1}")
        code, _, err = self.run_capped(simulator, source, "1USD", *flags)
        self.assertEqual(code, 0, err)


class TeamTest(SheafTest):
    """Several coordinators and workers, and no mercy."""

    def setUp(self):
        super().setUp()
        self.redis = PrivateRedis(self.folder)

    def tearDown(self):
        super().tearDown()
        self.redis.stop()

    def daemon(self, name, simulator, *flags):
        with open(self.path("daemons.log"), "ab") as log:
            process = subprocess.Popen(
                [program(name), "--redis", self.redis.url, "--base-url", simulator.url, "--lease", "1s", *flags],
                env=self.environment(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def submit(self, simulator, source, cap):
        return self.sheaf("submit", source, "--job", "j", "--redis", self.redis.url, "--sink", "dir:" + self.path("sink"),
                          "--base-url", simulator.url, "--poll-interval", "100ms", "--max-requests", "40",
                          "--max-cost", cap)

    def start_one(self, role, simulator):
        if role == "co":
            return self.daemon("sheaf-coordinator", simulator, "--settle", "1s", "--linger", "50ms")
        return self.daemon("sheaf-worker", simulator)

    def held(self):
        reply = self.redis.command("HGET", "sheaf:{0}:j:j", "hold")
        return b"budget" in reply

    def money(self):
        """What is spent, what is reserved; nothing yet is 0."""
        script = "return table.concat({redis.call('HGET', 'sheaf:{0}:j:j', 'spent') or '0', " \
                 "redis.call('HGET', 'sheaf:{0}:j:j', 'rsv') or '0'}, ' ')"
        return [int(w) for w in self.redis.command("EVAL", script, "0").split(b"\r\n")[1].split()]

    def test_a_lane_that_another_job_fills_is_no_reason_to_hold_for_the_budget(self):
        with open(self.path("sheaf.yaml"), "w") as f:
            f.write("prices: {models: {m: {currency: USD, input: 0, output: 1}}}\n"
                    "providers: {openai: {limits: {enqueued_requests: 50}}}\n")
        flags = ("--config", self.path("sheaf.yaml"), "--redis", self.redis.url)
        simulator = self.simulator("--delay", "4s")
        a = self.write("a.jsonl", [request_line("a%d" % i, "y%d" % i, model="m", max_tokens=10) for i in range(50)])
        b = self.write("b.jsonl", [request_line("b%d" % i, "z%d" % i, model="m", max_tokens=10000 if i < 20 else 1)
                                   for i in range(40)])
        first = subprocess.Popen([program("sheaf"), *self.run_words(simulator, a, self.path("ao.jsonl"), *flags)],
                                 env=self.environment(), cwd=self.folder, stdin=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        self.processes.append(first)
        end = time.monotonic() + 20
        while not simulator.ledger()["batches_created"] and time.monotonic() < end:
            time.sleep(.1)
        code, _, err = self.sheaf(*self.run_words(simulator, b, self.path("bo.jsonl"), *flags, "--max-requests", "80",
                                                  "--max-cost", "0.001USD"))
        self.assertEqual(code, 6, err)
        self.assertIn("20 requests are left", err)  # the others fit, and came
        self.assertEqual(first.wait(30), 0)

    def test_however_many_die_the_cap_is_never_passed(self):
        simulator = self.simulator()
        requests = BudgetTest.requests(self, 600)
        source = self.write("in.jsonl", requests)
        cap, rng = 6 * 10**6, random.Random(3)
        roles = ["co", "wk", "co", "wk", "wk"]
        team = [(role, self.start_one(role, simulator)) for role in roles]
        code, _, err = self.submit(simulator, source, usd(cap))
        self.assertEqual(code, 0, err)
        end = time.monotonic() + 40
        while not self.held() and time.monotonic() < end:
            spent, rsv = self.money()
            self.assertLessEqual(spent + rsv, cap)
            self.assertLessEqual(BudgetTest.bill(simulator), cap)
            i = rng.randrange(len(team))
            if rng.random() < .3:
                team[i][1].send_signal(signal.SIGKILL)
                team[i][1].wait()
                team[i] = (team[i][0], self.start_one(team[i][0], simulator))
            time.sleep(.2)
        self.assertTrue(self.held(), "not held")
        self.assertLessEqual(BudgetTest.bill(simulator), cap)
        code, _, err = self.submit(simulator, source, "1USD")
        self.assertEqual(code, 0, err)
        code, _, err = self.sheaf("wait", "j", "--redis", self.redis.url, "--timeout", "60s")
        self.assertEqual(code, 0, err)
        code, _, err = self.sheaf("results", "j", "--redis", self.redis.url, "-o", self.path("out.jsonl"))
        self.assertEqual(code, 0, err)
        self.check_output(requests)
        self.assertEqual(self.report("out.report.json")["cost"]["total_nano"], BudgetTest.bill(simulator))


if __name__ == "__main__":
    main_in_slices(2)
