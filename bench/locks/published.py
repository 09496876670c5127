"""What the field has published about locks on this path, and which machine it takes to look at it again."""

SWEEP_SOURCE = ("Ji, Gu, Fu, Lin, \"Beyond the Bottleneck: Enhancing High-Concurrency Systems with Lock Tuning\", FM 2024, "
                "doi 10.1007/978-3-031-71177-0_20")
BEST_K = 1000
# (architecture, flush policy, gain): that of the first two is not said, so they are looked for under both
SWEEP_GAINS = [("x86_64", "ASYNC_FLUSH", 0.3758), ("x86_64", "SYNC_FLUSH", 0.3758), ("aarch64", "ASYNC_FLUSH", 0.3282),
               ("aarch64", "SYNC_FLUSH", 0.3282), ("aarch64", "SYNC_FLUSH", 0.104)]
SWEEP_RATE = 155_019  # messages/s at the best k, x86, synchronous flush
SWEEP_CPU_PERCENT = (1000, 750)  # before and after
ABS_SETUP = "one nameserver, one broker and one load host with 8 vCPU each; bodies of 1 KB and 2 B"
# (architecture, policy): maximum rate without and with the adaptive lock, and the gain as printed
ABS_RATES = {
    ("x86_64", "ASYNC_FLUSH"): (176_312.35, 184_214.98, 0.0447),
    ("x86_64", "SYNC_FLUSH"): (177_403.12, 187_215.47, 0.0556),
    ("aarch64", "ASYNC_FLUSH"): (185_321.49, 206_431.82, 0.1144),
    ("aarch64", "SYNC_FLUSH"): (188_312.17, 212_314.43, 0.1285),
}
ABS_CPU_PERCENT = (500, 400)  # with large critical sections
EXTREME_MEAN_MS = 0.5
PUBLISHED_CORES = 8
