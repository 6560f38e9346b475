"""Traffic for inference servers: arrivals, real texts, a load generator, a latency model and a simulation.

    clock = SkippingClock()
    engine = Engine(ModelRunner(model, blocks=256), Scheduler(BlockManager(256)), now=clock.now)
    requests = docstring_requests(tokenizer, poisson(rate=2.0, count=40))
    replay(engine, requests, clock)
    print(percentile([Latency.of(request).first for request in requests], 99))

The load generator itself is `ai_research_skills.traffic.load.load`; it needs the extra `serving`.
"""

from ai_research_skills.traffic.clock import Clock, SkippingClock, VirtualClock
from ai_research_skills.traffic.latency import LatencyModel, Shape, SimulatedRunner
from ai_research_skills.traffic.replay import replay
from ai_research_skills.traffic.service_level import Latency, Objective, percentile
from ai_research_skills.traffic.workload import docstring_requests, poisson

__all__ = [
    "Clock",
    "Latency",
    "LatencyModel",
    "Objective",
    "Shape",
    "SimulatedRunner",
    "SkippingClock",
    "VirtualClock",
    "docstring_requests",
    "percentile",
    "poisson",
    "replay",
]
