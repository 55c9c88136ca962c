//! Pushes: what is taken, what is refused, and that every one that counts becomes exactly one event.

use crate::kit::{Copy, House, PASSWORD, one_step};
use ropewalk::model::Happened;
use ropewalk::store::events;

fn moves(house: &House) -> Vec<(String, Option<String>)> {
    let filter = events::Filter { kind: Some("ref-moved".into()), ..events::Filter::default() };
    let all = house.app.store.read(|c| events::page(c, &filter, 1000)).unwrap();
    let one = |event: ropewalk::model::Event| match event.happened {
        Happened::RefMoved { reference, new, .. } => {
            Some((reference.to_string(), new.map(|n| n.to_string())))
        }
        _ => None,
    };
    all.into_iter().filter_map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_accepted_update_is_one_event_however_many_push_at_once() {
    let house = House::start().await;
    let first = Copy::new();
    first.write("a", "1").commit("Base");
    first.push(&house.remote("admin/busy")).await;
    let pushing = (0..50).map(|n| {
        let remote = house.remote("admin/busy");
        async move {
            let copy = Copy::new();
            copy.git(&["commit", "-q", "--allow-empty", "-m", &format!("Branch {n}")]);
            // Half of them race for one branch, the other half have one each.
            let branch =
                if n % 2 == 0 { "refs/heads/raced".to_owned() } else { format!("refs/heads/own-{n}") };
            let commit = copy.git(&["rev-parse", "HEAD"]).trim().to_owned();
            let (ok, said) = copy.try_git(&["push", &remote, &format!("HEAD:{branch}")]).await;
            (ok, branch, commit, said)
        }
    });
    let results = futures_util::future::join_all(pushing).await;
    let wins: Vec<_> = results.iter().filter(|(ok, ..)| *ok).collect();
    assert_eq!(wins.iter().filter(|(_, branch, ..)| branch.ends_with("raced")).count(), 1, "{results:?}");
    assert_eq!(wins.iter().filter(|(_, branch, ..)| branch.contains("own-")).count(), 25, "{results:?}");
    house.app.watch.poll().await.unwrap();
    let seen = moves(&house);
    assert_eq!(seen.len(), wins.len() + 1, "{seen:?}");
    for (_, branch, commit, _) in wins {
        assert!(seen.contains(&(branch.clone(), Some(commit.clone()))), "{branch} {commit}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_refused_and_nothing_is_written() {
    let house = House::start().await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("true")).commit("One");
    for name in
        ["admin/..", "admin/.git", "admin/CON", "admin/a%2f..%2fb", "nobody/x", "admin/x%00y", "api/x"]
    {
        let (ok, said) = copy.try_git(&["push", &house.remote(name), "HEAD"]).await;
        assert!(!ok, "{name}: {said}");
    }
    let repositories: Vec<_> = house.app.git.all().unwrap();
    assert!(repositories.is_empty(), "{repositories:?}");
    for reference in
        ["refs/heads/-x", "refs/heads/$(id)", "refs/heads/<script>", "refs/ropewalk/x", "refs/heads/con"]
    {
        let target = format!("HEAD:{reference}");
        let (ok, said) = copy.try_git(&["push", &house.remote("admin/refs"), &target]).await;
        assert!(!ok && said.contains("rejected") || said.contains("fatal"), "{reference}: {said}");
    }
    let (ok, said) =
        copy.try_git(&["push", &house.remote_as("admin", "wrong-password", "admin/x"), "HEAD"]).await;
    assert!(!ok, "{said}");
    assert!(moves(&house).is_empty());
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_trees_are_refused_and_links_are_not_followed() {
    let house = House::start().await;
    let copy = Copy::new();
    copy.write(".gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = --upload-pack=touch /tmp/pwned\n")
        .commit("Submodule");
    let (ok, said) = copy.try_git(&["push", &house.remote("admin/tree"), "HEAD"]).await;
    assert!(!ok && said.contains("gitmodules"), "{said}");

    let linked = Copy::new();
    std::os::unix::fs::symlink("/etc/passwd", linked.path.join("Jenkinsfile")).unwrap();
    linked.commit("A link");
    let said = linked.push(&house.remote("admin/link")).await;
    assert!(!said.contains("root:"), "{said}");
    assert!(house.find_run("admin/link", "default", 1).is_none_or(|run| run.started_at.is_none()));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clone_fetch_shallow_and_partial_give_back_what_was_pushed() {
    let house = House::start().await;
    let copy = Copy::new();
    copy.write("big", &"0123456789abcdef".repeat(200_000)).commit("Big");
    let tip = copy.write("small", "x").commit("Small");
    copy.push(&house.remote("admin/data")).await;
    let remote = house.remote("admin/data");
    for (name, args) in [
        ("plain", vec!["clone", "-q"]),
        ("old", vec!["-c", "protocol.version=0", "clone", "-q"]),
        ("shallow", vec!["clone", "-q", "--depth", "1"]),
        ("partial", vec!["clone", "-q", "--filter=blob:none"]),
    ] {
        let mut args: Vec<&str> = args;
        args.extend([remote.as_str(), name]);
        let (ok, said) = copy.try_git(&args).await;
        assert!(ok, "{name}: {said}");
        let there = crate::kit::git_command(&copy.path.join(name), &["rev-parse", "HEAD"]);
        assert_eq!(String::from_utf8(there.stdout).unwrap().trim(), tip, "{name}");
    }
    let wrong = house.http.get(format!("{}/admin/data.git/info/refs", house.url)).send().await.unwrap();
    assert!(wrong.status().is_client_error(), "the old protocol without a service is not served");
    let _ = PASSWORD;
    house.stop().await;
}
