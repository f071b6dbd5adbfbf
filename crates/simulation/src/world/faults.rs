//! What goes wrong, and how it ends.

use std::time::Duration;

use tokio::time::sleep;

use crate::time;
use crate::weather::Conditions;
use crate::world::plan::Fault;
use crate::world::run::World;

/// After this long the server ends a transaction that does nothing.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(5);

/// Brings a fault about; returns when it is over.
pub async fn bring_about(world: World, fault: Fault) {
    world.model.state().happened(&format!("{fault:?}"));
    let lasts = Duration::from_millis;
    match fault {
        Fault::Crash { node, down } => {
            world.kill(node);
            sleep(lasts(down)).await;
            world.start(node);
        }
        Fault::Hang { node, lasts: time } => hang(&world, node, lasts(time), false).await,
        Fault::Replace { node, lasts: time } => hang(&world, node, lasts(time), true).await,
        Fault::Leave { node, down } => {
            let Some(leaving) = world.take(node) else { return };
            leaving.leave().await;
            sleep(Duration::from_millis(300)).await;
            leaving.kill(&world);
            sleep(lasts(down)).await;
            world.start(node);
        }
        Fault::Join => world.start(world.places()),
        Fault::DatabaseAway { lasts: time } => {
            world.server.set_away(true);
            sleep(lasts(time)).await;
            world.server.set_away(false);
        }
        Fault::DiskFull { lasts: time } => {
            world.server.set_full(true);
            sleep(lasts(time)).await;
            world.server.set_full(false);
        }
        Fault::RedisAway { lasts: time } => {
            world.redis.set_away(true);
            sleep(lasts(time)).await;
            world.redis.set_away(false);
        }
        Fault::RedisFlushed => world.redis.flush(),
        Fault::ClockJump { node, by } => time::set_wrong(node, by * 1_000),
        Fault::Storm { conditions, lasts: time } => {
            world.weather.set(conditions);
            sleep(lasts(time)).await;
            world.weather.set(Conditions::FAIR);
        }
    }
}

/// A node hangs; with `is_replaced` another process is started in its place meanwhile.
async fn hang(world: &World, place: usize, lasts: Duration, is_replaced: bool) {
    let Some(node) = (if is_replaced { world.take(place) } else { world.at(place) }) else { return };
    node.process.hang(true);
    let (server, way, process) = (world.server.clone(), node.way, node.process.clone());
    actix::spawn(async move {
        sleep(IDLE_IN_TRANSACTION).await;
        if process.hangs() {
            server.cut_off(way);
        }
    });
    if is_replaced {
        sleep(lasts / 3).await;
        world.start(place);
        sleep(lasts * 2 / 3).await;
    } else {
        sleep(lasts).await;
    }
    node.process.hang(false);
    if is_replaced {
        // Two processes have one place for a while.
        sleep(lasts / 3).await;
        node.kill(world);
    }
}
